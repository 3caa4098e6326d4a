package store

import (
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// forChange locks the rows that are read against other changes, but lets
// group commits of new runs pass. On SQLite the writer is alone anyway.
func forChange(tx *gorm.DB) *gorm.DB {
	return tx.Clauses(clause.Locking{Strength: "NO KEY UPDATE"})
}

// forDelete also waits for group commits that insert runs of the workflow,
// which hold its row FOR KEY SHARE.
func forDelete(tx *gorm.DB) *gorm.DB {
	return tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
}
