// Package cli is the command line over the HTTP API: a noun, then a verb, the same nouns as the
// API has. It speaks to a server by package client and knows nothing else of the product; the
// command wires it.
//
// Each noun has a file with the table of its verbs. A command writes its result to standard output
// and everything else to standard error; its errors end the process with the exit codes below.
package cli

import (
	"context"
	"errors"
	"fmt"
	"heddle/client"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// Exit codes of every command.
const (
	ExitOK          = 0
	ExitFailure     = 1 // the run failed, or the server refused what was asked
	ExitUsage       = 2 // a flag, an argument, a file or a value is wrong
	ExitUnreachable = 3 // no answer from the server
	ExitDenied      = 4 // the key is missing or wrong, or may not do this
)

// Process is what a command may touch of the world around it.
type Process struct {
	Environ []string // "NAME=value"; of several with one name the last counts
	In      io.Reader
	Out     io.Writer
	Err     io.Writer
	// Now is the time now, and Every calls a function again and again at an interval, until it
	// returns an error or the context ends; tests replace both.
	Now   func() time.Time
	Every func(ctx context.Context, interval time.Duration, f func() error) error
}

// variable returns the value of an environment variable, "" where it is not set.
func (p *Process) variable(name string) string {
	value := ""
	for _, pair := range p.Environ {
		if v, ok := strings.CutPrefix(pair, name+"="); ok {
			value = v
		}
	}
	return value
}

// UsageError is a mistake in how a command was called.
type UsageError struct{ Err error }

// Error returns the mistake.
func (e UsageError) Error() string { return e.Err.Error() }

// Unwrap returns the mistake itself.
func (e UsageError) Unwrap() error { return e.Err }

// usagef returns a UsageError with this message.
func usagef(format string, args ...any) error { return UsageError{fmt.Errorf(format, args...)} }

// ErrAnswered ends a command with ExitFailure and without a message, because its output already
// says what is wrong.
var ErrAnswered = errors.New("already said")

// ExitCode returns the exit code of a command's error.
func ExitCode(err error) int {
	if err == nil {
		return ExitOK
	}
	if _, ok := errors.AsType[UsageError](err); ok {
		return ExitUsage
	}
	if _, ok := errors.AsType[*client.UnreachableError](err); ok {
		return ExitUnreachable
	}
	if e, ok := errors.AsType[*client.Error](err); ok && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden) {
		return ExitDenied
	}
	return ExitFailure
}

// Message returns what a person is told of an error: what happened, and what to do where that is
// known.
func Message(err error) string {
	text := err.Error()
	if e, ok := errors.AsType[*client.UnreachableError](err); ok {
		return "the server does not answer: " + e.Err.Error() + "\nIs it running, and is the address right? heddle context list shows it."
	}
	e, ok := errors.AsType[*client.Error](err)
	if !ok {
		return text
	}
	if e.Code == "" {
		return fmt.Sprintf("%s\nThe answer is not one of Heddle's: is the address right? heddle context list shows it.", text)
	}
	// What stands around the server's words, such as which of several objects it was, stays.
	text = strings.Replace(text, e.Error(), e.Message+" ["+e.Code+"]", 1)
	for _, d := range e.Diagnostics {
		text += "\n  " + diagnosticLine("", d)
	}
	switch {
	case e.Status == http.StatusUnauthorized:
		text += "\nheddle login stores a key that the server accepts."
	case e.RequestID != "" && e.Status >= http.StatusInternalServerError:
		text += "\nThe server's log has it as " + e.RequestID + "."
	}
	return text
}

// verb is one command of a noun.
type verb struct {
	use   string // the verb and its arguments
	short string
	long  string // "": nothing more than short
	args  cobra.PositionalArgs
	// flags adds the verb's own flags, and complete says what its arguments may be; nil: none.
	flags    func(cmd *cobra.Command)
	complete completion
	run      func(s *session, args []string) error
	// watch: it takes --watch. limit: it takes --limit.
	watch, limit bool
}

// completion returns what an argument may be, for the shell.
type completion func(s *session, args []string) []string

// Nouns returns the commands of all nouns, with login and context.
func Nouns(p *Process) []*cobra.Command {
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.Every == nil {
		p.Every = every
	}
	return []*cobra.Command{
		p.loginCommand(), p.contextCommand(),
		p.noun("workflows", "Create, read, change and delete workflows", workflowVerbs()),
		p.noun("versions", "Look at, publish and compare the versions of a workflow", versionVerbs()),
		p.noun("runs", "Start, follow and steer runs", runVerbs()),
		p.noun("schedules", "Create, look at and change schedules", scheduleVerbs()),
		p.noun("templates", "Make workflows of templates", templateVerbs()),
		p.noun("secrets", "Set and delete secrets", secretVerbs()),
		p.noun("agents", "Set up and try agents", agentVerbs()),
		p.noun("keys", "Make, rotate and revoke API keys", keyVerbs()),
		p.auditCommand(),
	}
}

// noun returns the command of a noun with its verbs. Alone it prints its help.
func (p *Process) noun(name, short string, verbs []verb) *cobra.Command {
	cmd := &cobra.Command{
		Use: name, Short: short, Args: cobra.NoArgs, GroupID: "server",
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, v := range verbs {
		cmd.AddCommand(p.verb(v))
	}
	return cmd
}

// verb returns the command of a verb.
func (p *Process) verb(v verb) *cobra.Command {
	cmd := &cobra.Command{Use: v.use, Short: v.short, Long: v.long, Args: v.args}
	var o options
	o.add(cmd, v)
	if v.flags != nil {
		v.flags(cmd)
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s, err := p.open(cmd, o)
		if err != nil {
			return err
		}
		if v.watch && o.watch {
			return s.watching(func() error { return v.run(s, args) })
		}
		return v.run(s, args)
	}
	if v.complete != nil {
		cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			s, err := p.open(cmd, o)
			if err != nil { // a shell shows no errors
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return v.complete(s, args), cobra.ShellCompDirectiveNoFileComp
		}
	}
	return cmd
}

// every calls f at once and then at each interval.
func every(ctx context.Context, interval time.Duration, f func() error) error {
	t := time.NewTicker(interval)
	defer t.Stop()
	for {
		if err := f(); err != nil {
			return err
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
