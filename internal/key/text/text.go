package text

import (
	"bytes"
	"slices"
	"sort"
)

// text is one stage of the input on its way from what was pasted to something readable. Each stage remembers what it
// changed and where, so that only the changes which touched a key are reported, and every place has a line of the input.
type text struct {
	b      []byte
	edits  []edit // in the order of out
	parent *text  // the stage before; nil: the beginning
	line   int    // of the first byte of a beginning
	single bool   // all of a beginning stands in one line, as a JSON string does
	via    []Fix  // what led here: the layers around this text
	all    fixSet // changes that are reported wherever they were made
}

// edit says that from out on, the bytes of a stage are those of its parent from in on, and what was changed just before.
type edit struct {
	out, in int32
	fix     Fix
}

// origin returns the line of the input from which the byte at pos came.
func (t *text) origin(pos int) int {
	for ; t.parent != nil; t = t.parent {
		pos = t.before(pos)
	}
	if t.single {
		return t.line
	}
	return t.line + bytes.Count(t.b[:min(pos, len(t.b))], []byte{'\n'})
}

// before maps a position to the parent's.
func (t *text) before(pos int) int {
	i := sort.Search(len(t.edits), func(i int) bool { return int(t.edits[i].out) > pos })
	if i == 0 {
		return pos
	}
	e := t.edits[i-1]
	return int(e.in) + pos - int(e.out)
}

// fixes adds to set the changes that touched the bytes from start to end, and those that concern the text as a whole.
func (t *text) fixes(set *fixSet, start, end int) {
	for ; t != nil; t = t.parent {
		i := sort.Search(len(t.edits), func(i int) bool { return int(t.edits[i].out) >= start })
		for ; i < len(t.edits) && int(t.edits[i].out) <= end; i++ {
			set.add(t.edits[i].fix)
		}
		for _, fix := range t.via {
			set.add(fix)
		}
		*set |= t.all
		if t.parent != nil {
			start, end = t.before(start), t.before(end)
		}
	}
}

// lineAround widens start and end to whole lines.
func (t *text) lineAround(start, end int) (int, int) {
	start = bytes.LastIndexByte(t.b[:start], '\n') + 1
	if i := bytes.IndexByte(t.b[end:], '\n'); i >= 0 {
		return start, end + i
	}
	return start, len(t.b)
}

// without returns a stage in which the given stretches are spaces, but for their newlines.
func (t *text) without(stretches [][2]int) *text {
	if len(stretches) == 0 {
		return t
	}
	b := bytes.Clone(t.b)
	for _, s := range stretches {
		for i := s[0]; i < s[1]; i++ {
			if b[i] != '\n' {
				b[i] = ' '
			}
		}
	}
	return &text{b: b, parent: t}
}

// rewriter builds the stage after a text.
type rewriter struct {
	from *text
	out  []byte
	done int // so much of from is dealt with
	made []edit
	all  fixSet
}

// everywhere are the changes that matter wherever they are: a NUL behind the last line, say.
const everywhere = 1<<fixBOM | 1<<fixControl | 1<<fixEscapeCodes

// replace copies all up to start, writes with in place of the bytes from start to end, and notes the fix.
func (w *rewriter) replace(start, end int, with string, fix Fix) {
	if w.out == nil {
		w.out = make([]byte, 0, len(w.from.b))
	}
	w.out = append(w.out, w.from.b[w.done:start]...)
	w.out = append(w.out, with...)
	w.done = end
	next := edit{int32(len(w.out)), int32(end), fix}
	if n := len(w.made); n > 0 && w.made[n-1].out == next.out && w.made[n-1].fix == fix {
		w.made[n-1] = next // nothing stands between the two
	} else {
		if n == cap(w.made) { // twice as many: append alone would throw away four times what is needed in the end
			w.made = slices.Grow(w.made, max(n, 16))
		}
		w.made = append(w.made, next)
	}
	w.all |= 1 << fix & everywhere
}

// text returns the new stage, or the old one if nothing was replaced.
func (w *rewriter) text() *text {
	if len(w.made) == 0 {
		return w.from
	}
	return &text{b: append(w.out, w.from.b[w.done:]...), edits: w.made, parent: w.from, all: w.all}
}
