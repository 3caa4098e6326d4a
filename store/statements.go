package store

import (
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// sqlText is the text of one statement in the wording of each dialect: SQLite's
// with ? for the arguments, PostgreSQL's with $1, $2 and so on. It is made once,
// when the program starts, so that a group commit spends nothing on it.
type sqlText struct {
	sqlite, postgres string
}

// inBothDialects returns the statement whose arguments text writes as ?. text must
// hold no other question mark, and at most 99 of them. The SQL itself must be
// what both databases understand.
func inBothDialects(text string) sqlText {
	return sqlText{sqlite: text, postgres: numbered(text)}
}

// statement is a text with its arguments.
type statement struct {
	text sqlText
	args []any
}

// execStatements executes the list within tx, in its order, and returns how many
// rows each statement changed. An empty list costs no round trip.
func execStatements(tx groupTx, list []statement) ([]int64, error) {
	if len(list) == 0 {
		return nil, nil
	}
	return tx.execAll(list)
}

// execAll executes the statements one by one; those that preparedStatements holds
// are not parsed again.
func (g *sqliteGroup) execAll(list []statement) ([]int64, error) {
	counts := make([]int64, len(list))
	for i, s := range list {
		var err error
		if counts[i], err = g.exec(s.text.sqlite, s.args...); err != nil {
			return nil, err
		}
	}
	return counts, nil
}

// execAll sends all statements in one round trip.
func (g *postgresGroup) execAll(list []statement) ([]int64, error) {
	counts := make([]int64, len(list))
	for i, s := range list {
		g.pending.Queue(s.text.postgres, s.args...).Exec(func(tag pgconn.CommandTag) error {
			counts[i] = tag.RowsAffected()
			return nil
		})
	}
	return counts, g.send()
}

// numbered returns a text with $1, $2 and so on for its question marks, at most
// 99: "a = ? AND b = ?" becomes "a = $1 AND b = $2". It must hold no other
// question mark, not even in a literal.
func numbered(text string) string {
	var b strings.Builder
	n := byte(0)
	for _, part := range strings.SplitAfter(text, "?") {
		before, marked := strings.CutSuffix(part, "?")
		b.WriteString(before)
		if !marked {
			continue
		}
		n++
		b.WriteByte('$')
		if n >= 10 {
			b.WriteByte('0' + n/10)
		}
		b.WriteByte('0' + n%10)
	}
	return b.String()
}
