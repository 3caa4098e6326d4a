package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/client"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
)

// input is where a verb's values come from: a file and single values on top of it.
type input struct {
	file string
	set  []string
}

// add adds -f and --set to a command. what names the content.
func (in *input) add(cmd *cobra.Command, what string) {
	cmd.Flags().StringVarP(&in.file, "file", "f", "", what+", JSON or YAML, from this file; - reads standard input")
	cmd.Flags().StringArrayVar(&in.set, "set", nil, "set one value of it, key=value; a.b=1 sets b in a, and what is not JSON is a text")
}

// value returns the values as JSON; nil where none were given. What cannot be read is a usage
// error.
func (in *input) value(s *session) (json.RawMessage, error) {
	if in.file == "" && len(in.set) == 0 {
		return nil, nil
	}
	var whole any
	if in.file != "" {
		text, err := s.read(in.file)
		if err != nil {
			return nil, err
		}
		if whole, err = parse(text); err != nil {
			return nil, usagef("%s: %w", in.file, err)
		}
	}
	if len(in.set) > 0 {
		object, ok := whole.(map[string]any)
		if whole != nil && !ok {
			return nil, usagef("--set needs an object, and %s has none", in.file)
		}
		if object == nil {
			object = map[string]any{}
		}
		for _, pair := range in.set {
			if err := assign(object, pair); err != nil {
				return nil, err
			}
		}
		whole = object
	}
	return json.Marshal(whole)
}

// parse reads JSON or YAML as JSON values, numbers as they were written.
func parse(text []byte) (any, error) {
	var v any
	trimmed := bytes.TrimSpace(text)
	if len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') {
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.UseNumber()
		if err := dec.Decode(&v); err != nil {
			return nil, fmt.Errorf("this is not JSON: %w", err)
		}
		if dec.More() {
			return nil, errors.New("there is more than one JSON value")
		}
		return v, nil
	}
	if err := yaml.Unmarshal(text, &v); err != nil {
		return nil, fmt.Errorf("this is neither JSON nor YAML: %w", err)
	}
	return v, nil
}

// assign sets the value of a pair key=value in an object, whose keys are separated by dots.
func assign(object map[string]any, pair string) error {
	key, value, ok := strings.Cut(pair, "=")
	if !ok || key == "" {
		return usagef("--set takes key=value, not %q", pair)
	}
	parts := strings.Split(key, ".")
	for _, part := range parts[:len(parts)-1] {
		next, ok := object[part].(map[string]any)
		if !ok {
			if object[part] != nil {
				return usagef("--set %s: %s is not an object", pair, part)
			}
			next = map[string]any{}
			object[part] = next
		}
		object = next
	}
	var v any
	dec := json.NewDecoder(strings.NewReader(value))
	dec.UseNumber()
	if dec.Decode(&v) != nil || dec.More() {
		v = value
	}
	object[parts[len(parts)-1]] = v
	return nil
}

// source reads a definition as its author wrote it. An empty file is a usage error.
func (s *session) source(file string) (*client.Source, error) {
	if file == "" {
		return nil, usagef("which definition? Give -f FILE, or -f - for standard input")
	}
	text, err := s.read(file)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, usagef("%s is empty", file)
	}
	format := "yaml"
	if filepath.Ext(file) == ".json" || bytes.TrimSpace(text)[0] == '{' {
		format = "json"
	}
	return &client.Source{Format: format, Text: string(text)}, nil
}

// pairs returns key=value texts as a map.
func pairs(flag string, texts []string) (map[string]string, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	all := map[string]string{}
	for _, t := range texts {
		key, value, ok := strings.Cut(t, "=")
		if !ok || key == "" {
			return nil, usagef("%s takes key=value, not %q", flag, t)
		}
		all[key] = value
	}
	return all, nil
}
