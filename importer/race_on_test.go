//go:build race

package importer

// timeFactor is how much longer the race detector takes for the same work.
const timeFactor = 6
