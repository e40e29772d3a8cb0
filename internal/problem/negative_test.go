package problem

import (
	"testing"
	"time"
)

func TestNotNegativeReportsWhatIsBelowZero(t *testing.T) {
	var l List
	NotNegative(l.Add, "A", 0)
	NotNegative(l.Add, "B", time.Second)
	NotNegative(l.Add, "C", -3)
	NotNegative(l.Add, "D", -time.Second)
	const hint = "use zero for the default, or a positive value"
	want := []Entry{{Field: "C", Problem: "-3 is negative", Hint: hint}, {Field: "D", Problem: "-1s is negative", Hint: hint}}
	if got := l.Entries(); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("the problems are %v, want %v", got, want)
	}
}
