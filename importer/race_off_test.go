//go:build !race

package importer

const timeFactor = 1
