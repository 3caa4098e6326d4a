package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"heddle/definitions"
	"heddle/steps"
)

func (p *process) validateCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "validate FILE…",
		Short: "Check workflow definitions without a server",
		Long: `Check workflow definitions without a server. Each finding is one line,
file:line:column: severity: message [code]; - reads standard input. The exit
code is 1 when a definition has errors, warnings alone leave it 0.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
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

// checked is what validation found in one file.
type checked struct {
	File        string                   `json:"file"`
	Valid       bool                     `json:"valid"`
	Diagnostics []definitions.Diagnostic `json:"diagnostics"`
}

func check(file string, stdin io.Reader) (checked, error) {
	var text []byte
	var err error
	if file == "-" {
		text, err = io.ReadAll(stdin)
	} else {
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return checked{}, err
	}
	_, found := definitions.Check(text, formatOf(file, text), steps.Default(steps.Deps{}))
	if found == nil {
		found = []definitions.Diagnostic{}
	}
	return checked{File: file, Valid: definitions.Valid(found), Diagnostics: found}, nil
}

// formatOf goes by the file's name, and by its first character where that says
// nothing.
func formatOf(file string, text []byte) definitions.Format {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".json":
		return definitions.JSON
	case ".yaml", ".yml":
		return definitions.YAML
	}
	if strings.HasPrefix(strings.TrimSpace(string(text)), "{") {
		return definitions.JSON
	}
	return definitions.YAML
}

func (p *process) printChecked(all []checked, asJSON bool) error {
	bad := 0
	for _, c := range all {
		if !c.Valid {
			bad++
		}
		if !asJSON {
			p.printFindings(c)
		}
	}
	if asJSON {
		enc := json.NewEncoder(p.out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(all); err != nil {
			return err
		}
	}
	if bad > 0 {
		return errAnswered
	}
	return nil
}

func (p *process) printFindings(c checked) {
	for _, d := range c.Diagnostics {
		place := c.File
		if d.Line > 0 {
			place = fmt.Sprintf("%s:%d:%d", c.File, d.Line, max(d.Column, 1))
		}
		fmt.Fprintf(p.out, "%s: %s: %s [%s]\n", place, d.Severity, d.Message, d.Code)
		if d.Suggestion != "" {
			fmt.Fprintf(p.out, "    did you mean %q?\n", d.Suggestion)
		}
	}
	if c.Valid {
		fmt.Fprintf(p.out, "%s: valid\n", c.File)
	}
}
