package steps

import (
	"encoding/json"
	"heddle/fault"
	"strings"
)

// hintForm warns of a form whose Content-Type header names another type, which has no
// effect on how the form is encoded.
func hintForm(c fields) []fault.Issue {
	if _, given := c["form"]; !given {
		return nil
	}
	headers, _ := readFields(c["headers"])
	for _, name := range sortedNames(headers) {
		value, literal := headers.literal(name)
		media, _, _ := strings.Cut(strings.ToLower(value), ";")
		// An empty value leaves the header out, so it contradicts nothing.
		if strings.EqualFold(name, "Content-Type") && literal && strings.TrimSpace(media) != "application/x-www-form-urlencoded" && value != "" {
			return []fault.Issue{warning("invalid_value", "/form", "form is sent as application/x-www-form-urlencoded, whatever Content-Type says: write body for JSON, or leave the header out")}
		}
	}
	return nil
}

// hintBody warns of bodies that are not sent as they were probably meant: text that is
// JSON already, and a form or multipart body that is sent as JSON.
func hintBody(c fields) []fault.Issue {
	var out []fault.Issue
	if text, ok := c.literal("body"); ok {
		if trimmed := strings.TrimSpace(text); len(trimmed) > 1 && strings.IndexByte("{[", trimmed[0]) >= 0 && json.Valid([]byte(trimmed)) {
			d := warning("invalid_value", "/body", "body is text that is JSON already, and is sent as a JSON string, quotes around it: write the JSON itself, or raw for text as it is")
			// A longer suggestion would not be read.
			if len(trimmed) <= 1000 {
				d = suggest(d, trimmed)
			}
			out = append(out, d)
		}
	}
	if _, given := c["body"]; !given {
		return append(out, hintForm(c)...)
	}
	headers, _ := readFields(c["headers"])
	for _, name := range sortedNames(headers) {
		value, _ := headers.literal(name)
		media, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(value)), ";")
		if !strings.EqualFold(name, "Content-Type") {
			continue
		}
		// The two types are those that a config has a field for.
		switch strings.TrimSpace(media) {
		case "application/x-www-form-urlencoded":
			out = append(out, suggest(warning("invalid_value", "/body", "body is sent as JSON, whatever Content-Type says: write form: {name: value} for a form"), "form"))
		case "multipart/form-data":
			out = append(out, suggest(warning("invalid_value", "/body", "body is sent as JSON, whatever Content-Type says: write multipart: a list of parts"), "multipart"))
		}
	}
	return out
}
