//go:build race

package jwtbearer

// memoryFactor is how much more memory the race detector takes for the same work: its stacks and closures are larger.
const memoryFactor = 2
