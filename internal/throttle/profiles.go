package throttle

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-363d07a3/jwtbearer/internal/nearest"
	"github.com/seed-363d07a3/jwtbearer/internal/problem"
)

// profilesJSON holds the built-in profiles. CONTRIBUTING says what a new one needs.
//
//go:embed profiles.json
var profilesJSON []byte

// profile is a built-in set of settings for a known API (RateLimit.Profile).
type profile struct {
	Name      string
	Source    string // the page that says so
	About     string // how the API throttles, and what the settings cannot say
	RateLimit writtenSettings
}

// writtenSettings is a RateLimit as connection files write it: with durations such as 1m30s. What stands in it hides the field of
// that name in RateLimit.
type writtenSettings struct {
	RateLimit
	Limits      []limitJSON
	Interval    span
	DefaultWait span
	MinWait     span
	MaxWait     span
	Quota       []quotaJSON
}

type limitJSON struct {
	Limit
	Per span
}

type quotaJSON struct {
	Quota
	Window span
}

// span is a time.Duration written 1m30s.
type span time.Duration

func (s *span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	*s = span(d)
	return err
}

// settings is the RateLimit itself.
func (s writtenSettings) settings() RateLimit {
	rl := s.RateLimit
	rl.Interval, rl.DefaultWait = time.Duration(s.Interval), time.Duration(s.DefaultWait)
	rl.MinWait, rl.MaxWait = time.Duration(s.MinWait), time.Duration(s.MaxWait)
	for _, l := range s.Limits {
		l.Limit.Per = time.Duration(l.Per)
		rl.Limits = append(rl.Limits, l.Limit)
	}
	for _, q := range s.Quota {
		q.Quota.Window = time.Duration(q.Window)
		rl.Quota = append(rl.Quota, q.Quota)
	}
	return rl
}

// loadProfiles decodes the built-in profiles.
func loadProfiles() ([]profile, error) {
	d := json.NewDecoder(bytes.NewReader(profilesJSON))
	d.DisallowUnknownFields()
	var all []profile
	err := d.Decode(&all)
	return all, err
}

// profileSettings are those of the profile that the field at path names, none for the empty name.
func profileSettings(path, name string, report problem.Report) RateLimit {
	if name == "" {
		return RateLimit{}
	}
	all, err := loadProfiles()
	if err != nil {
		report(path, "jwtbearer: internal error: the built-in profiles cannot be read: "+err.Error(), "")
		return RateLimit{}
	}
	names := make([]string, len(all))
	for i, known := range all {
		if known.Name == name {
			return known.RateLimit.settings()
		}
		names[i] = known.Name
	}
	slices.Sort(names)
	hint := "use one of " + strings.Join(names, ", ") + ", or describe the API by Rules, Wait and Quota"
	if like := nearest.Name(name, names); like != "" {
		hint = fmt.Sprintf("did you mean %q? Otherwise %s", like, hint)
	}
	report(path, fmt.Sprintf("there is no profile %q", name), hint)
	return RateLimit{}
}
