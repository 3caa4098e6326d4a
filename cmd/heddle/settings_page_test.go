package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the table of docs/settings.md")

// TestSettingsPage compares the table of docs/settings.md with the table of
// settings that the program reads.
func TestSettingsPage(t *testing.T) {
	const page, begin, end = "../../docs/settings.md", "<!-- settings -->\n", "<!-- /settings -->\n"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(text), begin)
	got, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		t.Fatalf("%s has no table between %q and %q", page, begin, end)
	}
	want := settingsTable()
	if got == want {
		return
	}
	if !*update {
		t.Fatalf("%s does not list the settings as they are; run go test ./cmd/heddle -run TestSettingsPage -update", page)
	}
	if err := os.WriteFile(page, []byte(before+begin+want+end+after), 0o600); err != nil {
		t.Fatal(err)
	}
}

// settingsTable returns the settings as a Markdown table.
func settingsTable() string {
	var b strings.Builder
	b.WriteString("| variable | flag | default | what it sets | allowed |\n|---|---|---|---|---|\n")
	code := func(v string) string {
		if v == "" {
			return ""
		}
		return "`" + v + "`"
	}
	for _, def := range table() {
		name, flagName := code(def.Name), def.Flag
		if def.Secret {
			name += " *"
		}
		if flagName != "" {
			flagName = "--" + flagName
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", name, code(flagName), code(def.Default), def.Help, def.Allowed)
	}
	return b.String()
}
