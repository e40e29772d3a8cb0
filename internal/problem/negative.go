package problem

import "fmt"

// NotNegative reports a number, or a duration, below zero, of a field whose zero is its default.
func NotNegative[T ~int | ~int64](report Report, field string, value T) {
	if value < 0 {
		report(field, fmt.Sprintf("%v is negative", value), "use zero for the default, or a positive value")
	}
}
