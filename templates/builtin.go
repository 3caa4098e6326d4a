package templates

import (
	"embed"
	"encoding/json"
	"fmt"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"heddle/fault"
	"sort"
)

// builtinFiles holds the built-in templates, one file each.
//
//go:embed builtin/*.yaml
var builtinFiles embed.FS

// builtinFile is the file of a built-in template without its definition; see
// Template for the fields.
type builtinFile struct {
	ID                string          `json:"id"`
	Version           int             `json:"version"`
	Name              string          `json:"name"`
	Description       string          `json:"description"`
	Category          string          `json:"category"`
	SuggestedSchedule string          `json:"suggested_schedule"`
	Parameters        json.RawMessage `json:"parameters"`
}

// Builtins returns the built-in templates, sorted by id. It reads and parses
// their files at each call; the result is the caller's. An error is a defect of
// the program.
func Builtins() ([]Template, error) {
	entries, err := builtinFiles.ReadDir("builtin")
	if err != nil {
		return nil, fmt.Errorf("read the built-in templates: %w", err)
	}
	list := make([]Template, 0, len(entries))
	for _, entry := range entries {
		t, err := readBuiltin("builtin/" + entry.Name())
		if err != nil {
			return nil, fmt.Errorf("built-in template %s: %w", entry.Name(), err)
		}
		list = append(list, t)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].ID < list[j].ID })
	return list, nil
}

// readBuiltin reads one file, which has the form of a request to create a
// template, with id and version. Whether the template is valid is left to the
// tests.
func readBuiltin(path string) (Template, error) {
	text, err := builtinFiles.ReadFile(path)
	if err != nil {
		return Template{}, err
	}
	req, found, err := parser.ParseRequest(text, source.YAML)
	if err != nil {
		return Template{}, err
	}
	// Placeholders are plain texts to the parser, so that a template can be
	// read as a definition.
	if req.Document == nil || req.Document.Canonical == nil {
		return Template{}, fault.New(fault.Internal, "internal", "no definition that can be read: %v", validation.Messages(found))
	}
	var file builtinFile
	if err := json.Unmarshal(req.Rest, &file); err != nil {
		return Template{}, err
	}
	return Template{
		ID: file.ID, Name: file.Name, Description: file.Description, Category: file.Category, Builtin: true,
		Version: file.Version, Parameters: file.Parameters, Definition: req.Document.Canonical,
		SuggestedSchedule: file.SuggestedSchedule,
	}, nil
}
