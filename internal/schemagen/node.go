package main

import (
	"bytes"
	"encoding/json"
)

// A node is a JSON Schema (draft 2020-12), of the keywords that connection files need. They are written in this order.
type node struct {
	Schema      string  `json:"$schema,omitzero"`
	ID          string  `json:"$id,omitzero"`
	Ref         string  `json:"$ref,omitzero"`
	Title       string  `json:"title,omitzero"`
	Description string  `json:"description,omitzero"`
	Type        any     `json:"type,omitzero"` // a name, or several
	Enum        []any   `json:"enum,omitzero"`
	Const       any     `json:"const,omitzero"`
	Pattern     string  `json:"pattern,omitzero"`
	MinLength   int     `json:"minLength,omitzero"`
	Minimum     *int    `json:"minimum,omitzero"`
	Maximum     *int    `json:"maximum,omitzero"`
	Items       *node   `json:"items,omitzero"`
	MinItems    int     `json:"minItems,omitzero"`
	Properties  members `json:"properties,omitzero"`

	PropertyNames        *node    `json:"propertyNames,omitzero"`
	AdditionalProperties any      `json:"additionalProperties,omitzero"` // a *node or false
	MinProperties        int      `json:"minProperties,omitzero"`
	Required             []string `json:"required,omitzero"`

	Not   *node  `json:"not,omitzero"`
	If    *node  `json:"if,omitzero"`
	Then  *node  `json:"then,omitzero"`
	Else  *node  `json:"else,omitzero"`
	AnyOf []node `json:"anyOf,omitzero"`
	AllOf []node `json:"allOf,omitzero"`

	Default  any     `json:"default,omitzero"`
	Examples []any   `json:"examples,omitzero"`
	Defs     members `json:"$defs,omitzero"`
}

// members are the members of a JSON object, in an order of their own.
type members []member

type member struct {
	name  string
	value any
}

// MarshalJSON implements json.Marshaler.
func (m members) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, field := range m {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, part := range []any{field.name, field.value} {
			if j > 0 {
				b.WriteByte(':')
			}
			text, err := marshal(part)
			if err != nil {
				return nil, err
			}
			b.Write(text)
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// marshal is json.Marshal without its escapes for HTML.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
