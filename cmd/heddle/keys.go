package main

import (
	"errors"
	"fmt"
	"heddle/access"
	"heddle/ids"
	"heddle/store"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"
)

// recoverCommand returns keys recover, which makes an admin key without needing one. Its
// authority is access to the database itself.
func (p *process) recoverCommand() *cobra.Command {
	var tenant, name string
	cmd := &cobra.Command{
		Use:   "recover",
		Short: "Make a new admin key for a tenant, on the server's machine",
		Long: `Make a new admin key for a tenant and print it, this once. It opens the database
that the settings name, as the server does, also while the server runs: access to
the database is what permits it. The tenant's audit trail gets a line (key.recover).
Revoke keys that are not needed any more with DELETE /v1/keys/{key_id}.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := p.settings(cmd)
			if err != nil {
				return err
			}
			return p.recoverKey(cmd, s, tenant, name)
		},
	}
	settingFlags(cmd)
	cmd.Flags().StringVar(&tenant, "tenant", access.DefaultTenant, "the tenant's slug")
	cmd.Flags().StringVar(&name, "name", "recovered", "the key's name")
	return cmd
}

// recoverKey writes a key to the database and prints it. It neither creates nor migrates
// a database: a missing one means that the settings are not the server's. The key alone
// goes to standard output, so that scripts can take it.
func (p *process) recoverKey(cmd *cobra.Command, s settings, tenant, name string) (err error) {
	if path := sqlitePath(s.DatabaseURL); path != "" {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) { // opening it would make one
			return fmt.Errorf("there is no database at %s; give the settings that the server has", maskURL(s.DatabaseURL))
		}
	}
	// Without the lock of serve, so that it works while the server runs.
	db, err := store.Open(cmd.Context(), s.DatabaseURL, store.WithoutMigration())
	if err != nil {
		return fmt.Errorf("open the database %s: %w", maskURL(s.DatabaseURL), err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	// No log and no quotas: it makes one key and ends.
	keys := access.New(access.Config{Store: db, Now: time.Now, NewID: ids.New(time.Now).New})
	// Its line in the audit trail is written in the same transaction as the key.
	k, secret, err := keys.Recover(cmd.Context(), tenant, name)
	if err != nil {
		return fmt.Errorf("make an admin key: %w", err)
	}
	fmt.Fprintln(p.out, secret)
	fmt.Fprintf(p.err, "This is %s, an admin key of the tenant %s. It is shown this once: keep it; send it as \"Authorization: Bearer …\".\n", k.ID, tenant)
	return nil
}
