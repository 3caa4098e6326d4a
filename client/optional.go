package client

import (
	"encoding/json"
	"fmt"
)

// Optional is a field of a change that may be left out, be null or have a value. Its zero value is
// left out.
type Optional[T any] struct {
	value *T
	given bool
}

// Set returns a field with the value.
func Set[T any](v T) Optional[T] { return Optional[T]{&v, true} }

// Null returns a field that is null: the change takes the value away.
func Null[T any]() Optional[T] { return Optional[T]{given: true} }

// IsZero reports whether the field is left out.
func (o Optional[T]) IsZero() bool { return !o.given }

// MarshalJSON writes the value or null.
func (o Optional[T]) MarshalJSON() ([]byte, error) { return json.Marshal(o.value) }

// UnmarshalJSON reads what MarshalJSON writes.
func (o *Optional[T]) UnmarshalJSON(text []byte) error {
	o.given = true
	return json.Unmarshal(text, &o.value)
}

// VersionRef names a version: its number, as "3" or "v3", or its label; "" is the active one.
type VersionRef string

// UnmarshalJSON also takes a number.
func (v *VersionRef) UnmarshalJSON(text []byte) error {
	var n json.Number
	if json.Unmarshal(text, &n) == nil && len(text) > 0 && text[0] != '"' {
		*v = VersionRef(n)
		return nil
	}
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("a version is a number or a text: %w", err)
	}
	*v = VersionRef(s)
	return nil
}

// DefinitionPart is a definition in a body that has more than one: as JSON, or as a text.
type DefinitionPart struct {
	Definition json.RawMessage `json:"definition,omitempty"`
	Source     *Source         `json:"source,omitempty"`
}
