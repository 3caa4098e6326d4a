package store

import (
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// forNoKeyUpdate locks the rows that are read against other changes until the
// transaction ends (FOR NO KEY UPDATE), but lets group commits of new runs
// pass, which hold their workflow's row FOR KEY SHARE. On SQLite it does
// nothing: writers run one after another.
func forNoKeyUpdate(tx *gorm.DB) *gorm.DB {
	return tx.Clauses(clause.Locking{Strength: "NO KEY UPDATE"})
}

// forUpdate locks the rows that are read against other changes, and waits for
// group commits that insert runs of the workflow (FOR UPDATE): it is for
// deleting, and for rows that new runs do not refer to. On SQLite it does
// nothing.
func forUpdate(tx *gorm.DB) *gorm.DB {
	return tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
}
