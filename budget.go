package jwtbearer

import "sync"

const retryCost = 14 // tokens for the retry of one transient failure

// A budget bounds the retries of transient failures, so that an API that is down is not stormed: when all fail, retries end
// after a while, and come back as first tries succeed.
type budget struct {
	mu     sync.Mutex
	tokens int
	full   int // zero: no bound
}

func newBudget(tokens int) *budget { return &budget{tokens: tokens, full: tokens} }

// spend pays for one retry, if there is enough left.
func (b *budget) spend() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.full > 0 && b.tokens < retryCost {
		return false
	}
	b.tokens -= retryCost
	return true
}

// earn gives tokens back.
func (b *budget) earn(tokens int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = min(b.full, b.tokens+tokens)
}
