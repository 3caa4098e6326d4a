package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// configCommand returns config, which prints every setting that serve would use. It
// starts nothing but the probe that finds out how scripts are confined here, and that
// only where all settings are right.
func (p *process) configCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Print every setting, its value and where it came from",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			src := p.sources(cmd)
			set, all, err := src.load()
			if err == nil {
				// Not settings, but what they come to on this machine.
				isolation, limits := set.isolation(cmd.Context())
				all = append(all,
					resolved{setting: setting{Name: "script isolation"}, Value: isolation, Source: "found here"},
					resolved{setting: setting{Name: "script limits"}, Value: limits, Source: "found here"})
			}
			// Wrong values are printed too: the table shows where each came from.
			if printErr := p.printConfig(all, asJSON); printErr != nil {
				return printErr
			}
			for _, w := range src.warnings() {
				fmt.Fprintf(p.err, "heddle: warning: %s\n", w)
			}
			if err != nil {
				return usageError{err}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	settingFlags(cmd)
	return cmd
}

// printConfig prints the settings as a table, with - for what is absent, or as a JSON
// list of name, value and source. Secret values are masked in both.
//
//	SETTING              VALUE               FROM
//	HEDDLE_LISTEN        127.0.0.1:8080      default
//	HEDDLE_DATABASE_URL  sqlite://heddle.db  --database-url
func (p *process) printConfig(all []resolved, asJSON bool) error {
	if asJSON {
		// The form of --json is fixed: scripts read it.
		type line struct {
			Name   string `json:"name"`
			Value  string `json:"value"`
			Source string `json:"source"`
		}
		lines := make([]line, 0, len(all))
		for _, r := range all {
			lines = append(lines, line{r.Name, r.shown(), r.Source})
		}
		enc := json.NewEncoder(p.out)
		enc.SetIndent("", "  ")
		return enc.Encode(lines)
	}
	// Columns are as wide as their longest value, with two spaces between them.
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SETTING\tVALUE\tFROM")
	for _, r := range all {
		value := r.shown()
		if value == "" {
			value = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.Name, value, r.Source)
	}
	return w.Flush()
}
