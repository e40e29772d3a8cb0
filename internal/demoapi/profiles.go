package demoapi

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Profile returns the dialect that the profile of that name of jwtbearer's RateLimit understands. The empty name is RetryAfter.
func Profile(name string) (Dialect, error) {
	profiles := []struct {
		name    string
		dialect func() Dialect
	}{
		{"", RetryAfter}, {"github", github}, {"app-store-server", appStoreServer}, {"apns", apns}, {"shopify-graphql", shopify},
		{"salesforce", salesforce}, {"google-cloud", googleCloud}, {"discord", discord}, {"ietf", ietf},
	}
	var names []string
	for _, p := range profiles {
		if p.name == name {
			return p.dialect(), nil
		}
		names = append(names, p.name)
	}
	slices.Sort(names)
	return Dialect{}, fmt.Errorf("demoapi: there is no profile %q: use one of %s", name, strings.Join(names[1:], ", "))
}

// counted reports whether a limit throttles: what a script asks for counts nothing.
func (t Throttle) counted() bool { return t.Limit > 0 }

// github has a primary limit, whose quota every answer tells, and secondary limits, of which Throttle.counted is false.
func github() Dialect {
	return Dialect{
		Status: http.StatusForbidden,
		Quota: func(h http.Header, t Throttle) {
			RateLimitReset().Quota(h, t)
			h.Set("X-RateLimit-Used", strconv.Itoa(t.Limit-t.Remaining))
			h.Set("X-RateLimit-Resource", "core")
		},
		Header: func(h http.Header, t Throttle) {
			if !t.counted() {
				h.Set("Retry-After", strconv.Itoa(ceil(t.Wait, time.Second)))
			}
		},
		Body: func(t Throttle) any {
			message := "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
			if t.counted() {
				message = "API rate limit exceeded for installation ID 1."
			}
			return map[string]any{"message": message, "documentation_url": "https://docs.github.com/rest"}
		},
	}
}

// appStoreServer tells the time in milliseconds since 1970, in Retry-After.
func appStoreServer() Dialect {
	return Dialect{
		Status: http.StatusTooManyRequests,
		Header: func(h http.Header, t Throttle) {
			h.Set("Retry-After", strconv.FormatInt(t.Until().Add(time.Millisecond-1).UnixMilli(), 10))
		},
		Body: func(Throttle) any {
			return map[string]any{"errorCode": 4290000, "errorMessage": "Rate limit exceeded."}
		},
	}
}

// apns does not tell the time.
func apns() Dialect {
	return Dialect{
		Status: http.StatusTooManyRequests,
		Body:   func(Throttle) any { return map[string]any{"reason": "TooManyRequests"} },
	}
}

// shopify answers 200 and tells what is left of a bucket and how fast that fills, from which the wait can be computed.
func shopify() Dialect {
	return Dialect{
		Status: http.StatusOK,
		Body: func(t Throttle) any {
			answer := map[string]any{"errors": []any{map[string]any{"message": "Throttled",
				"extensions": map[string]any{"code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits"}}}}
			if t.counted() {
				answer["extensions"] = map[string]any{"cost": map[string]any{"requestedQueryCost": 1, "actualQueryCost": nil,
					"throttleStatus": map[string]any{"maximumAvailable": float64(t.Limit), "currentlyAvailable": t.Remaining,
						"restoreRate": float64(t.Limit) / t.Per.Seconds()}}}
			}
			return answer
		},
	}
}

// salesforce does not tell the time. Its limit is that of a day; what a script asks for are too many requests at once.
func salesforce() Dialect {
	return Dialect{
		Status: http.StatusForbidden,
		Quota: func(h http.Header, t Throttle) {
			h.Set("Sforce-Limit-Info", fmt.Sprintf("api-usage=%d/%d", t.Limit-t.Remaining, t.Limit))
		},
		Body: func(t Throttle) any {
			message := "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
			if t.counted() {
				message = "TotalRequests Limit exceeded."
			}
			return []any{map[string]any{"message": message, "errorCode": "REQUEST_LIMIT_EXCEEDED"}}
		},
	}
}

// googleCloud tells the time as the google.rpc.RetryInfo of AIP-193.
func googleCloud() Dialect {
	return Dialect{
		Status: http.StatusTooManyRequests,
		Body: func(t Throttle) any {
			return map[string]any{"error": map[string]any{"code": http.StatusTooManyRequests, "status": "RESOURCE_EXHAUSTED",
				"message": "Quota exceeded for quota metric 'Requests' and limit 'Requests per minute'.",
				"details": []any{
					map[string]any{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RATE_LIMIT_EXCEEDED",
						"domain": "googleapis.com"},
					map[string]any{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": seconds(t.Wait) + "s"},
				}}}
		},
	}
}

// discord tells the time in the body, with decimals, and the quota of the route in every answer.
func discord() Dialect {
	return Dialect{
		Status: http.StatusTooManyRequests,
		Quota: func(h http.Header, t Throttle) {
			reset := t.Reset
			if t.Wait > 0 {
				reset = t.Until()
			}
			h.Set("X-RateLimit-Limit", strconv.Itoa(t.Limit))
			h.Set("X-RateLimit-Remaining", strconv.Itoa(t.Remaining))
			h.Set("X-RateLimit-Reset", strconv.FormatFloat(float64(reset.UnixMilli())/1000, 'f', 3, 64))
			h.Set("X-RateLimit-Reset-After", seconds(reset.Sub(t.Now)))
			h.Set("X-RateLimit-Bucket", "abcd1234")
		},
		Header: func(h http.Header, t Throttle) {
			h.Set("Retry-After", strconv.Itoa(ceil(t.Wait, time.Second)))
			h.Set("X-RateLimit-Scope", "user")
		},
		Body: func(t Throttle) any {
			after := float64(ceil(t.Wait, time.Millisecond)) / 1000
			return map[string]any{"message": "You are being rate limited.", "retry_after": after, "global": false}
		},
	}
}

// ietf tells the quota and the time as the newest draft of the RateLimit fields does.
func ietf() Dialect {
	return Dialect{
		Status: http.StatusTooManyRequests,
		Quota: func(h http.Header, t Throttle) {
			h.Set("RateLimit-Policy", fmt.Sprintf(`"default";q=%d;w=%d`, t.Limit, ceil(t.Per, time.Second)))
			h.Set("RateLimit", fmt.Sprintf(`"default";r=%d;t=%d`, t.Remaining, ceil(t.Reset.Sub(t.Now), time.Second)))
		},
		Header: func(h http.Header, t Throttle) {
			h.Set("Content-Type", "application/problem+json")
			h.Set("RateLimit", fmt.Sprintf(`"default";r=0;t=%d`, ceil(t.Wait, time.Second)))
		},
		Body: func(Throttle) any {
			return map[string]any{"type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
				"title": "Request cannot be satisfied as assigned quota has been exceeded", "violated-policies": []string{"default"}}
		},
	}
}

// seconds writes d in seconds with decimals.
func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }
