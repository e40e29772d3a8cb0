// Package nearest finds the name that somebody probably meant.
package nearest

import "strings"

// maxLen bounds the names that are compared: longer ones are not slips of the pen.
const maxLen = 64

// Name returns the one of known that is nearest to name by the number of letters to change, add, take away or swap with
// their neighbour, upper and lower case being alike, or else the only one that has it among its words: google-cloud for google. It
// returns "" where none is near enough to be meant.
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
	if best == "" {
		return byWord(name, known)
	}
	return best
}

// leastWord is the shortest word that says anything.
const leastWord = 3

// byWord is the only one of known that has name, of one word or several, among its words.
func byWord(name string, known []string) string {
	const separators = "-_. "
	words := func(s string) string {
		return "-" + strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return strings.ContainsRune(separators, r) }), "-") + "-"
	}
	if len(name) < leastWord {
		return ""
	}
	found := ""
	for _, k := range known {
		if strings.Contains(words(k), words(name)) || len(k) >= leastWord && strings.Contains(words(name), words(k)) {
			if found != "" {
				return ""
			}
			found = k
		}
	}
	return found
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
