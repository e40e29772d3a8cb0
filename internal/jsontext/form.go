package jsontext

import "net/url"

// Form writes a JSON object as a form (application/x-www-form-urlencoded), in its order. A list becomes several fields of one name.
func Form(object []byte) ([]byte, error) {
	v, err := Parse(string(object))
	if err != nil {
		return nil, err
	}
	var form []byte
	add := func(name string, value Value) {
		text := value.Text
		if value.Kind != String {
			text = string(value.Append(nil))
		}
		if len(form) > 0 {
			form = append(form, '&')
		}
		form = append(append(append(form, url.QueryEscape(name)...), '='), url.QueryEscape(text)...)
	}
	for _, m := range v.Members {
		if m.Value.Kind != Array {
			add(m.Name, m.Value)
			continue
		}
		for _, e := range m.Value.Elems {
			add(m.Name, e)
		}
	}
	return form, nil
}
