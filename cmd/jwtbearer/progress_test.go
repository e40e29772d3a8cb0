package main

import (
	"strings"
	"testing"
	"time"
)

func TestBarTellsHowFarItIs(t *testing.T) {
	for _, test := range []struct {
		done, failed int
		throttles    uint64
		columns      int
		want         string
	}{
		{0, 0, 0, 80, "[" + strings.Repeat(".", 40) + "] 0/200  0.0/s"},
		{50, 0, 0, 80, "[" + strings.Repeat("#", 10) + strings.Repeat(".", 30) + "] 50/200  25.0/s"},
		{200, 3, 12, 200, "[" + strings.Repeat("#", 40) + "] 200/200  100.0/s  12 throttled  3 failed"},
		{100, 0, 0, 30, "[#####......] 100/200  50.0/s"},
		{100, 0, 0, 20, "100/200  50.0/s"},
		{100, 0, 0, 10, "100/200  "},
		{100, 0, 0, 1, ""},
	} {
		if got := bar(test.done, 200, test.failed, test.throttles, 2*time.Second, test.columns); got != test.want {
			t.Errorf("bar of %d in %d columns = %q, want %q", test.done, test.columns, got, test.want)
		}
	}
}

func TestBarNeverFillsTheLine(t *testing.T) {
	for columns := range 200 {
		line := bar(123456, 1000000, 1234, 99999, time.Hour, columns)
		if len(line) > max(columns-1, 0) {
			t.Errorf("bar for %d columns has %d: %q", columns, len(line), line)
		}
	}
}
