package main

import (
	"encoding/json"
	"fmt"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"heddle/fault"
	"heddle/steps"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// validateCommand returns validate, which checks files by the code that the server uses
// (validation.Check with the catalog of the built-in types). It has no tenant, so it
// does not know whether secrets and agents exist. A file that cannot be read ends the
// command with its error, before any result is printed.
func (p *process) validateCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "validate FILE…",
		Short: "Check workflow definitions without a server",
		Long: `Check workflow definitions without a server. Each finding is a line,
file:line:column: severity: message [code], with the line of the file and a mark
below it. A directory stands for all .yaml, .yml and .json files in it and below,
- for standard input. The exit code is 1 when a definition has errors, warnings
alone leave it 0.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			// All files are found before any is checked, so that a misspelled name prints
			// nothing else.
			files, err := definitionFiles(names)
			if err != nil {
				return err
			}
			all := make([]checked, 0, len(files))
			for _, file := range files {
				c, err := check(file, cmd.InOrStdin())
				if err != nil {
					return err
				}
				all = append(all, c)
			}
			return p.printChecked(all, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// definitionFiles replaces directories by the definition files in and below them, in
// lexical order. Hidden files and directories are left out. A directory without any such
// file is an error, because nothing would be checked.
func definitionFiles(names []string) ([]string, error) {
	var files []string
	for _, name := range names {
		info, err := os.Stat(name)
		if name == "-" || err != nil || !info.IsDir() {
			files = append(files, name) // what is wrong with it shows when it is read
			continue
		}
		before := len(files)
		err = filepath.WalkDir(name, func(path string, entry fs.DirEntry, err error) error {
			hidden := path != name && strings.HasPrefix(entry.Name(), ".")
			switch {
			case err != nil:
				return err
			// Such as .git: what is in it is not a workflow of the user's.
			case hidden && entry.IsDir():
				return fs.SkipDir
			case !hidden && !entry.IsDir() && slices.Contains([]string{".yaml", ".yml", ".json"}, strings.ToLower(filepath.Ext(path))):
				files = append(files, path)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if len(files) == before {
			return nil, fmt.Errorf("%s holds no .yaml, .yml or .json file", name)
		}
	}
	return files, nil
}

// checked is the result of validating one file, in the form of --json.
type checked struct {
	File        string        `json:"file"`
	Valid       bool          `json:"valid"` // no diagnostic is an error
	Diagnostics []fault.Issue `json:"diagnostics"`
	text        []byte        // the file, for the lines in report
}

// check validates one file. An error means that it could not be read; what is wrong with
// the definition is in Diagnostics, which is never nil.
func check(file string, stdin io.Reader) (checked, error) {
	text, err := readFile(file, stdin)
	if err != nil {
		return checked{}, err
	}
	// Each file has a registry of its own, which holds nothing open before a first
	// attempt.
	_, found := validation.Check(text, formatOf(file, text), steps.Default(steps.Deps{}))
	if found == nil {
		found = []fault.Issue{}
	}
	return checked{File: file, Valid: validation.Valid(found), Diagnostics: found, text: text}, nil
}

// formatOf returns the format that the file's extension names; without one of those,
// JSON where the text begins with {, otherwise YAML.
func formatOf(file string, text []byte) source.Format {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".json":
		return source.JSON
	case ".yaml", ".yml":
		return source.YAML
	}
	if strings.HasPrefix(strings.TrimSpace(string(text)), "{") {
		return source.JSON
	}
	return source.YAML
}

// printChecked prints the results, as one JSON list or as a report for each file, and
// returns errAnswered if a definition has errors.
func (p *process) printChecked(all []checked, asJSON bool) error {
	bad := 0
	for _, c := range all {
		if !c.Valid {
			bad++
		}
		// As JSON the results are one list, which is printed at the end.
		if !asJSON {
			fmt.Fprint(p.out, c.report(p.colours()))
		}
	}
	if asJSON {
		enc := json.NewEncoder(p.out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(all); err != nil {
			return err
		}
	}
	// Warnings alone are a success.
	if bad > 0 {
		return errAnswered
	}
	return nil
}
