package main

import (
	"fmt"
	"heddle/store"

	"github.com/spf13/cobra"
)

// migrateCommand returns migrate, which migrates the database that the settings name.
// store.Open does the work, as it does for serve.
func (p *process) migrateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database to this version's schema, and do nothing else",
		Long: `Bring the database to this version's schema, and do nothing else. serve does
so too; use it to have that done before.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := p.settings(cmd)
			if err != nil {
				return err
			}
			// Opening migrates; nothing else is wired, so no run begins.
			db, err := store.Open(cmd.Context(), s.DatabaseURL)
			if err != nil {
				return fmt.Errorf("migrate %s: %w", maskURL(s.DatabaseURL), err)
			}
			fmt.Fprintf(p.out, "%s has this version's schema\n", maskURL(s.DatabaseURL))
			return db.Close()
		},
	}
	settingFlags(cmd)
	return cmd
}
