package httpfield

import (
	"net/http"
	"strings"
)

// How much of one header field of a response is read, whoever carried it. A field that means something is far shorter, and net/http
// lets a server send megabytes.
const (
	MostBytes = 8 << 10 // of all its lines together
	MostLines = 64
)

// Values are the values of a response's header field, one a line, without spaces around them. Every field of a response that
// is parsed is read here, or by Value. What is beyond the bounds is ignored: a line that crosses MostBytes ends before the
// list member that does (RFC 9110, section 5.6.1), so that no number is read that was cut.
func Values(header http.Header, name string) []string {
	lines := header.Values(name)
	if len(lines) == 0 {
		return nil // as most fields are in most responses
	}
	lines = lines[:min(len(lines), MostLines)]
	values := make([]string, 0, len(lines))
	left := MostBytes
	for _, line := range lines {
		if len(line) > left {
			line = line[:left]
			line = line[:max(strings.LastIndexByte(line, ','), 0)]
			return append(values, strings.TrimSpace(line))
		}
		left -= len(line)
		values = append(values, strings.TrimSpace(line))
	}
	return values
}

// Value is the first line of a response's header field that has one value. It is empty where that is longer than MostBytes.
func Value(header http.Header, name string) string {
	value := header.Get(name)
	if len(value) > MostBytes {
		return ""
	}
	return value
}
