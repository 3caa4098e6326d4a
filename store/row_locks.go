package store

import (
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// forNoKeyUpdate locks the rows that are read against other changes, but lets
// group commits of new runs pass. On SQLite the writer is alone anyway.
func forNoKeyUpdate(tx *gorm.DB) *gorm.DB {
	return tx.Clauses(clause.Locking{Strength: "NO KEY UPDATE"})
}

// forUpdate also waits for group commits that insert runs of the workflow,
// which hold its row FOR KEY SHARE.
func forUpdate(tx *gorm.DB) *gorm.DB {
	return tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
}
