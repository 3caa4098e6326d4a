package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"heddle/client"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

// defaultServer is the URL of a server with default settings on this machine.
const defaultServer = "http://127.0.0.1:8080"

// exportCommand returns export, which writes workflows of a server as lines of JSON. The
// server makes the lines; the command passes them on unread, so that they may be of a
// newer form than this binary knows.
func (p *process) exportCommand() *cobra.Command {
	var r remote
	var file string
	var ids bool
	cmd := &cobra.Command{
		Use:   "export [WORKFLOW…]",
		Short: "Export workflows with all their versions from a server",
		Long: `Export workflows with all their versions, one line of JSON each: those that are
named by id or slug, or all that the key may view. --ids writes the ids too, so
that an import into another database keeps them.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.client(r)
			if err != nil {
				return err
			}
			// Without a list the server exports all that the key may view.
			query := client.ExportQuery{Workflows: args, IDs: ids}
			// Straight to standard output: a reader can begin before the end.
			if file == "" || file == "-" {
				return export(cmd.Context(), c, query, p.out)
			}
			return writeWhole(file, func(out io.Writer) error { return export(cmd.Context(), c, query, out) })
		},
	}
	r.flags(cmd, defaultServer)
	cmd.Flags().StringVarP(&file, "output", "o", "", "write to this file instead of standard output")
	cmd.Flags().BoolVar(&ids, "ids", false, "write the ids of the workflows")
	return cmd
}

// export copies an export to out, as it comes. After an error out may hold a part of it.
func export(ctx context.Context, c *client.Client, query client.ExportQuery, out io.Writer) error {
	lines, err := c.Workflows.Export(ctx, query)
	if err != nil {
		return err
	}
	defer lines.Close() //nolint:errcheck // it was only read
	// The server breaks the connection of an export that it cannot complete.
	if _, err := io.Copy(out, lines); err != nil {
		return fmt.Errorf("the export broke off, what came is not complete: %w", err)
	}
	return nil
}

// writeWhole writes a file that exists completely or not at all, by renaming a temporary
// one. An existing file is replaced. Only its owner can read it: definitions may be
// confidential.
func writeWhole(file string, write func(io.Writer) error) error {
	// In the same directory, because a rename does not cross file systems.
	temp, err := os.CreateTemp(filepath.Dir(file), ".heddle-export-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) //nolint:errcheck // gone already when all went well
	// The export arrives in small pieces.
	out := bufio.NewWriter(temp)
	// Synced before the rename, or a crash could leave an empty file under the name.
	err = errors.Join(write(out), out.Flush(), temp.Sync(), temp.Close())
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), file)
}

// importCommand returns import, which reads what export wrote. Each line is one workflow
// with its versions and stored as a whole. What was imported before a failure is printed
// too, so that the rest can be imported again with --on-conflict skip.
func (p *process) importCommand() *cobra.Command {
	var r remote
	var onConflict string
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Import workflows with all their versions into a server",
		Long: `Import what export wrote; - reads standard input. A workflow is stored whole or
not at all. A slug that is taken ends the import, unless --on-conflict says to
skip the workflow or to rename it.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.client(r)
			if err != nil {
				return err
			}
			lines := cmd.InOrStdin()
			// The file is sent as it is read, so its size does not matter.
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer f.Close() //nolint:errcheck // it was only read
				lines = f
			}
			// done is set on an error too: workflows before the one that failed are stored.
			done, err := c.Workflows.Import(cmd.Context(), lines, onConflict)
			p.printArrivals(done)
			return err
		},
	}
	r.flags(cmd, defaultServer)
	cmd.Flags().StringVar(&onConflict, "on-conflict", "", "skip or rename")
	return cmd
}

// printArrivals prints a line for each workflow that was imported or skipped:
//
//	imported nightly-report (wf_…)
//	skipped  count-my-workflows (line 2): the slug is taken
func (p *process) printArrivals(done client.Import) {
	// In the order of the file. A rename shows in the slug.
	for _, a := range done.Imported {
		fmt.Fprintf(p.out, "imported %s (%s)\n", a.Slug, a.ID)
	}
	for _, a := range done.Skipped {
		fmt.Fprintf(p.out, "skipped  %s (line %d): the slug is taken\n", a.Slug, a.Line)
	}
}
