// Package nearest finds the name that somebody probably meant.
package nearest

import "strings"

// maxLen bounds the names that are compared: longer ones are not slips of the pen.
const maxLen = 64

// Name returns the one of known that is nearest to name by the number of letters to change, add, take away or swap with
// their neighbour, upper and lower case being alike. It returns "" where none is near enough to be meant.
func Name(name string, known []string) string {
	best, least := "", 1+max(1, len(name)/3)
	if len(name) > maxLen {
		return ""
	}
	for _, k := range known {
		if len(k) > maxLen {
			continue
		}
		if d := distance(strings.ToLower(name), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is the optimal string alignment distance of a and b.
func distance(a, b string) int {
	var rows [3][2*maxLen + 1]int
	before, above, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, above, row = above, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
