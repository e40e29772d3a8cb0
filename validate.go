package jwtbearer

import "errors"

// problems collects what is wrong with a Connection.
type problems struct{ errs []error }

// add records a problem of the field at path, which is written as in Go: RateLimit.Rules[2].Match.
func (p *problems) add(path, problem, hint string) {
	p.errs = append(p.errs, &ConfigError{Field: path, Problem: problem, Hint: hint})
}

func (p *problems) err() error { return errors.Join(p.errs...) }
