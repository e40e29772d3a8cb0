package jsontext

// Append appends v in its compact form: no space, numbers as they were written, strings as AppendString writes them.
func (v Value) Append(dst []byte) []byte {
	switch v.Kind {
	case String:
		return AppendString(dst, v.Text)
	case Array:
		dst = append(dst, '[')
		for i, e := range v.Elems {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = e.Append(dst)
		}
		return append(dst, ']')
	case Object:
		dst = append(dst, '{')
		for i, m := range v.Members {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(AppendString(dst, m.Name), ':')
			dst = m.Value.Append(dst)
		}
		return append(dst, '}')
	}
	return append(dst, v.Text...)
}

// AppendString appends s as a JSON string.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	return append(AppendEscaped(dst, s), '"')
}

const hexDigits = "0123456789abcdef"

// AppendEscaped appends s as it stands between the quotes of a JSON string, with the escapes of ECMAScript's
// JSON.stringify and no others: <, >, & and U+2028 stay as they are.
func AppendEscaped(dst []byte, s string) []byte {
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !Special(c) && c != 0xed {
			continue
		}
		size := 1
		half, unpaired := surrogate(s[i:])
		if unpaired {
			size = 3
		} else if c == 0xed {
			continue
		}
		dst = append(dst, s[from:i]...)
		if unpaired {
			dst = append(dst, '\\', 'u', 'd', hexDigits[half>>8&15], hexDigits[half>>4&15], hexDigits[half&15])
		} else {
			dst = appendSpecial(dst, c)
		}
		i += size - 1
		from = i + 1
	}
	return append(dst, s[from:]...)
}

// Special reports whether c must be escaped within a JSON string.
func Special(c byte) bool { return c < ' ' || c == '"' || c == '\\' }

func appendSpecial(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}
