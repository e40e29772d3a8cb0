//go:build !race

package jwtbearer

const memoryFactor = 1
