// Command heddle is the whole product in one binary: it serves the API, runs the
// workflows, speaks to a server (package cli), and has the tools around that (bench, demo,
// validate, diff, export, import, config, migrate, schedule). It is the only package that reads settings and the
// environment, and the only one that wires packages together; rules about workflows do
// not belong here.
//
// A command writes its result to standard output and everything else to standard error.
// Exit codes are exitOK, exitFailure and exitUsage, and those of package cli.
//
// Each command is a method of process that returns a *cobra.Command. Settings come from
// one table (table), whatever the command; wire.go is the one place where services are
// made.
package main

import (
	"context"
	"errors"
	"fmt"
	"heddle/cli"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1 // the command did its work and the answer is no, or it could not
	exitUsage   = 2 // a flag, an argument or a setting is wrong
)

// main is run on the real process.
func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}

// process is what a command may touch of the world around it. Tests call run with
// buffers; no command uses os.Stdout, os.Stderr or os.Environ itself.
type process struct {
	environ []string // "NAME=value"
	in      io.Reader
	out     io.Writer
	err     io.Writer
}

// usageError is a mistake in how the command was called: a flag, an argument or a
// setting. It ends the process with exitUsage.
type usageError struct{ error }

// Unwrap returns the mistake itself.
func (e usageError) Unwrap() error { return e.error }

// errAnswered ends a command with exitFailure and without a message, because its
// output already says what is wrong.
var errAnswered = errors.New("already said")

// run executes one command line (args without the program's name) and returns the exit
// code. Errors are printed to stderr as "heddle: …". It may be called repeatedly in one
// process, as tests do.
func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	// cobra gets the same writers, for its help and its own errors.
	p := &process{environ: environ, in: stdin, out: stdout, err: stderr}
	root := p.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	// The output has said it; a message would say it twice.
	case errors.Is(err, errAnswered), errors.Is(err, cli.ErrAnswered):
		return exitFailure
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "heddle: %v\n", err)
		return exitUsage
	default:
		fmt.Fprintf(stderr, "heddle: %s\n", cli.Message(err))
		return cli.ExitCode(err)
	}
}

// root returns the command tree. Without a command it prints the help.
func (p *process) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "heddle",
		Short:         "Durable workflows in one binary",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.AddGroup(&cobra.Group{ID: "server", Title: "With a server:"}, &cobra.Group{ID: "local", Title: "On this machine:"})
	local := []*cobra.Command{
		p.serveCommand(), p.devCommand(), p.demoCommand(), p.benchCommand(), p.validateCommand(), p.migrateCommand(),
		p.configCommand(), p.versionCommand(), p.diffCommand(), p.scheduleCommand(), p.exportCommand(), p.importCommand(),
	}
	for _, cmd := range local {
		cmd.GroupID = "local"
	}
	root.AddCommand(local...)
	nouns := cli.Nouns(&cli.Process{Environ: p.environ, In: p.in, Out: p.out, Err: p.err})
	root.AddCommand(nouns...)
	for _, noun := range nouns {
		if noun.Name() == "keys" {
			noun.AddCommand(p.recoverCommand())
		}
	}
	// An unknown flag is a usage error in every command, so that scripts can tell it
	// apart.
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	asUsage(root)
	return root
}

// asUsage makes a wrong number of arguments and an unknown command usage errors, as
// wrong flags are, in cmd and all commands below it.
func asUsage(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usageError{err}
			}
			return nil
		}
	}
	for _, c := range cmd.Commands() {
		asUsage(c)
	}
}

// settingFlags adds a flag to the command for each setting that has one. The flags have
// no defaults of their own: only flags that were given count (sources).
func settingFlags(cmd *cobra.Command) {
	for _, def := range table() {
		if def.Flag == "" {
			continue
		}
		help := fmt.Sprintf("%s: %s [%s]", def.Help, def.Allowed, def.Name)
		if def.Default != "" {
			// cobra would print the flag's own default, which is always empty here.
			help += fmt.Sprintf(" (default %s)", def.Default)
		}
		cmd.Flags().String(def.Flag, "", help)
	}
}

// settings resolves the settings from flags, environment and defaults. It warns on
// standard error of HEDDLE_ variables that do not exist, and returns a usage error that
// names every setting with a wrong value.
func (p *process) settings(cmd *cobra.Command) (settings, error) {
	src := p.sources(cmd)
	// Warnings come before errors: a misspelled variable is often the reason of the error.
	for _, w := range src.warnings() {
		fmt.Fprintf(p.err, "heddle: warning: %s\n", w)
	}
	s, _, err := src.load()
	if err != nil {
		return s, usageError{err}
	}
	return s, nil
}

// sources returns where the command's settings come from: only flags that were
// given count as such.
func (p *process) sources(cmd *cobra.Command) sources {
	flags := make(map[string]string)
	for _, def := range table() {
		// Commands without setting flags have none of them; Lookup returns nil then.
		if f := cmd.Flags().Lookup(def.Flag); f != nil && f.Changed {
			flags[def.Flag] = f.Value.String()
		}
	}
	return sources{flags: flags, environ: p.environ}
}
