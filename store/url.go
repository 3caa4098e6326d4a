package store

import (
	"fmt"
	"heddle/migrations"
	"net/url"
	"strings"
)

// target is a parsed database URL: which dialect, and for SQLite which file.
// memory is a database in memory, whose path is empty. path is empty for
// PostgreSQL, too, whose URL goes to pgx as it is.
type target struct {
	dialect migrations.Dialect
	path    string
	memory  bool
}

// urlHelp begins every error about a URL. It shows the forms and quotes nothing
// of the URL, which may hold a password.
const urlHelp = "HEDDLE_DATABASE_URL must be sqlite://file.db, sqlite:///absolute/file.db or postgres://user:password@host:5432/database" //nolint:gosec // the form of a URL, with no password in it

// parseURL returns what a database URL names. It checks what both dialects
// need; PostgreSQL's own settings are read by pgx. Its errors begin with urlHelp.
func parseURL(raw string) (target, error) {
	scheme, rest, found := strings.Cut(raw, "://")
	if !found {
		return target{}, fmt.Errorf("%s: it has no ://", urlHelp)
	}
	switch strings.ToLower(scheme) {
	case "sqlite", "sqlite3":
		return sqliteTarget(rest)
	case "postgres", "postgresql":
		if _, err := url.Parse(raw); err != nil {
			return target{}, fmt.Errorf("%s: it cannot be read as a URL (a password's special characters must be percent-encoded)", urlHelp)
		}
		return target{dialect: migrations.Postgres}, nil
	}
	return target{}, fmt.Errorf("%s: unknown scheme %q", urlHelp, scheme)
}

// sqliteTarget reads what follows sqlite://, percent-encoded like any URL.
// Parameters are refused: pragmas are this package's business.
func sqliteTarget(rest string) (target, error) {
	if rest == ":memory:" {
		return target{dialect: migrations.SQLite, memory: true}, nil
	}
	path, query, _ := strings.Cut(rest, "?")
	if query != "" {
		return target{}, fmt.Errorf("%s: a SQLite URL takes no ?parameters", urlHelp)
	}
	path, err := url.PathUnescape(path)
	if err != nil {
		return target{}, fmt.Errorf("%s: bad percent-encoding in the path", urlHelp)
	}
	if path == "" || strings.HasSuffix(path, "/") {
		return target{}, fmt.Errorf("%s: it names no file", urlHelp)
	}
	if strings.ContainsRune(path, 0) {
		return target{}, fmt.Errorf("%s: the path holds a NUL", urlHelp)
	}
	return target{dialect: migrations.SQLite, path: path}, nil
}
