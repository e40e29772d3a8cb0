package jwtbearer

import "sync/atomic"

const retryCost = 14 // tokens for the retry of one transient failure

// A budget bounds the retries of transient failures, so that an API that is down is not stormed: when all fail, retries end
// after a while, and come back as first tries succeed.
type budget struct {
	full   int64 // zero: no bound
	tokens atomic.Int64
}

func newBudget(tokens int) *budget {
	b := &budget{full: int64(tokens)}
	b.tokens.Store(b.full)
	return b
}

// spend pays for one retry, if there is enough left.
func (b *budget) spend() bool { return b.full == 0 || b.add(-retryCost) }

// earn gives tokens back.
func (b *budget) earn(tokens int) { b.add(int64(tokens)) }

// add changes how many tokens there are, which is never less than none or more than all. It reports whether there are enough.
func (b *budget) add(n int64) bool {
	for {
		old := b.tokens.Load()
		sum := min(old+n, b.full)
		if sum < 0 {
			return false
		}
		if sum == old || b.tokens.CompareAndSwap(old, sum) {
			return true
		}
	}
}
