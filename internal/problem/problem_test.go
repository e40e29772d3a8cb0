package problem

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
)

func TestSentenceJoinsWhatIsThere(t *testing.T) {
	for _, tt := range []struct{ subject, problem, hint, want string }{
		{"", "", "", ""},
		{"Name", "", "", "Name"},
		{"", "is empty", "", "is empty"},
		{"", "is empty", "set it", "is empty; set it"},
		{"Name", "is empty", "", "Name: is empty"},
		{"Name", "is empty", "set it", "Name: is empty; set it"},
		{"Name", "", "set it", "Name; set it"},
	} {
		if got := Sentence(tt.subject, tt.problem, tt.hint); got != tt.want {
			t.Errorf("Sentence(%q, %q, %q) = %q, want %q", tt.subject, tt.problem, tt.hint, got, tt.want)
		}
	}
}

func TestJoinKeepsWhatIsThere(t *testing.T) {
	a, b, c := New("a", "x"), errors.New("b"), errors.New("c")
	if err := Join(nil, nil); err != nil {
		t.Errorf("of no errors it makes %v, want nil", err)
	}
	if err := Join(nil, b, nil); err != b {
		t.Errorf("of one error it makes %v, want that", err)
	}
	err := Join(Join(a, b), nil, c)
	if got := err.Error(); got != "a; x; b; c" || !errors.Is(err, c) {
		t.Errorf("the error is %q, want a; x; b; c, and each of them behind it", got)
	}
	var l List
	l.AddError("F", err)
	want := []Entry{{"F", "a", "x", nil}, {"F", "b", "", nil}, {"F", "c", "", nil}}
	if got := l.Entries(); !reflect.DeepEqual(got, want) {
		t.Errorf("the problems are %v, want %v", got, want)
	}
}

func TestListKeepsProblemsInTheirOrder(t *testing.T) {
	var l List
	if l.Len() != 0 || len(l.Entries()) != 0 {
		t.Errorf("the zero List has %d problems, want none", l.Len())
	}
	cause := errors.New("cause")
	var report Report = l.Add
	report("A", "is empty", "set it")
	l.AddError("B", fmt.Errorf("reading it: %w", &Error{Problem: "is damaged", Hint: "paste it again"}))
	l.AddError("C", errors.New("is odd"))
	l.AddEntry(Entry{Field: "D", Problem: "is wrong", Cause: cause})
	want := []Entry{{"A", "is empty", "set it", nil}, {"B", "is damaged", "paste it again", nil}, {"C", "is odd", "", nil},
		{"D", "is wrong", "", cause}}
	if got := l.Entries(); !reflect.DeepEqual(got, want) || l.Len() != len(want) {
		t.Errorf("the problems are %v, want %v", got, want)
	}
}
