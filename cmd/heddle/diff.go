package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/client"
	"heddle/definitions/parser"
	"heddle/versions"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// remote is the server that a command talks to, and the API key for it; key is "" where
// --key was not given.
type remote struct{ server, key string }

// flags adds --server, with its default, and --key to the command, which fill in r.
func (r *remote) flags(cmd *cobra.Command, server string) {
	cmd.Flags().StringVar(&r.server, "server", server, "the server's URL, such as http://127.0.0.1:8080")
	cmd.Flags().StringVar(&r.key, "key", "", "the API key [HEDDLE_API_KEY]")
}

// client returns a client of the server. Without --key the key is HEDDLE_API_KEY;
// without either it is a usage error. Nothing is sent yet.
func (p *process) client(r remote) (*client.Client, error) {
	key := r.key
	if key == "" {
		key = variable(p.environ, "HEDDLE_API_KEY")
	}
	if key == "" {
		return nil, usageError{errors.New("no API key: give --key or set HEDDLE_API_KEY")}
	}
	return client.New(r.server, key), nil
}

// variable returns the value of an environment variable, "" where it is not set. Of
// several with one name the last one counts, as in a shell.
func variable(environ []string, name string) string {
	for _, pair := range slices.Backward(environ) {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}
	return ""
}

// diffCommand returns diff, which compares two definitions. Its exit codes are those of
// diff(1), so every failure is a usage error.
func (p *process) diffCommand() *cobra.Command {
	var r remote
	var asJSON, asPatch bool
	cmd := &cobra.Command{
		Use:   "diff A B | diff --server URL WORKFLOW V1 V2",
		Short: "Compare two definitions, or two versions of a workflow on a server",
		Long: `Compare two definitions in files (JSON or YAML; - reads standard input), or with
--server two versions of a workflow, by number or label. The exit code is 0 when
they are equal, 1 when they differ, 2 when they could not be compared.`,
		Args: func(cmd *cobra.Command, args []string) error {
			// --server decides which form the arguments have.
			if cmd.Flags().Changed("server") {
				return cobra.ExactArgs(3)(cmd, args)
			}
			return cobra.ExactArgs(2)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if asJSON && asPatch {
				return usageError{errors.New("--json and --patch exclude each other")}
			}
			before, after, err := p.sides(cmd.Context(), r, args, cmd.InOrStdin())
			if err != nil {
				return usageError{err} // exit code 2, as diff(1) has it
			}
			d, err := versions.Compare(before, after)
			if err != nil {
				return usageError{err}
			}
			return p.printDiff(d, asJSON, asPatch)
		},
	}
	r.flags(cmd, "")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print patch, summary and changes as JSON")
	cmd.Flags().BoolVar(&asPatch, "patch", false, "print the JSON patch (RFC 6902) alone")
	return cmd
}

// sides reads the two definitions, as canonical JSON: from the two files in args or,
// with three args, a workflow and two versions, from the server.
func (p *process) sides(ctx context.Context, r remote, args []string, stdin io.Reader) (before, after json.RawMessage, err error) {
	if len(args) == 2 {
		// It can be read only once.
		if args[0] == "-" && args[1] == "-" {
			return nil, nil, errors.New("only one side can be standard input")
		}
		if before, err = p.definition(args[0], stdin); err != nil {
			return nil, nil, err
		}
		after, err = p.definition(args[1], stdin)
		return before, after, err
	}
	c, err := p.client(r)
	if err != nil {
		return nil, nil, err
	}
	first, err := c.Versions.Get(ctx, args[0], args[1])
	if err != nil {
		return nil, nil, err
	}
	second, err := c.Versions.Get(ctx, args[0], args[2])
	if err != nil {
		return nil, nil, err
	}
	return first.Definition, second.Definition, nil
}

// definition reads one file and returns its canonical form. The definition may be
// invalid as long as it can be read; what prevents that is printed to standard error, a
// line for each finding.
func (p *process) definition(file string, stdin io.Reader) (json.RawMessage, error) {
	text, err := readFile(file, stdin)
	if err != nil {
		return nil, err
	}
	doc, found := parser.Parse(text, formatOf(file, text))
	// Findings may be errors of meaning, which do not keep two definitions from being
	// compared.
	if doc != nil && len(doc.Canonical) > 0 {
		return doc.Canonical, nil
	}
	for _, d := range found {
		fmt.Fprintf(p.err, "%s:%d:%d: %s: %s [%s]\n", file, d.Line, max(d.Column, 1), d.Severity, d.Message, d.Code)
	}
	return nil, fmt.Errorf("%s cannot be read as a definition", file)
}

// readFile returns the content of a file, or of standard input for "-".
func readFile(file string, stdin io.Reader) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(file)
}

// printDiff prints the difference as JSON, as a JSON patch (RFC 6902) or for people, and
// returns errAnswered if there is one; nil where the definitions are equal. A failure to
// print is a usage error, so that it is not taken for a difference.
func (p *process) printDiff(d versions.Diff, asJSON, asPatch bool) error {
	var err error
	switch {
	case asPatch:
		_, err = fmt.Fprintf(p.out, "%s\n", d.Patch)
	case asJSON:
		enc := json.NewEncoder(p.out)
		enc.SetEscapeHTML(false) // texts as they were written
		enc.SetIndent("", "  ")
		err = enc.Encode(struct {
			Diff    json.RawMessage   `json:"diff"`
			Summary string            `json:"summary"`
			Changes []versions.Change `json:"changes"`
		}{d.Patch, d.Summary, d.Changes})
	default:
		_, err = io.WriteString(p.out, d.Text(p.colours()))
	}
	if err != nil {
		return usageError{err}
	}
	// The patch is empty exactly where the definitions are equal.
	if string(d.Patch) != "[]" {
		return errAnswered
	}
	return nil
}

// colours reports whether the output is a terminal that wants colours
// (https://no-color.org). A buffer or a pipe does not.
func (p *process) colours() bool {
	// Tests and callers that pass a buffer get plain text.
	f, ok := p.out.(*os.File)
	if !ok || variable(p.environ, "NO_COLOR") != "" || variable(p.environ, "TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
