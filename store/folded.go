package store

import (
	"context"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
	"gorm.io/gorm"
)

// folded is the form in which texts are searched, in Unicode and alike on both
// databases, whose own lower() knows ASCII alone: canonically composed (NFC) and
// with full case folding, so that STRASSE finds Straße and ς is σ. Accents count,
// and a dotted İ is i with a dot above.
func folded(texts ...string) string {
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(strings.Join(texts, "\n"))))
}

func (r *workflowRow) fold() { r.Folded = folded(r.Name, r.Slug, r.Description) }

// foldBatch rows are folded in one transaction.
const foldBatch = 500

// foldWorkflows fills in the searched form of rows that were written before it
// existed, or by a node of an earlier version.
func (db *DB) foldWorkflows(ctx context.Context) error {
	for {
		var rows []workflowRow
		err := db.change(ctx, func(tx *gorm.DB) error {
			if err := tx.Where("folded = ''").Order("id").Limit(foldBatch).Find(&rows).Error; err != nil {
				return err
			}
			for _, row := range rows {
				row.fold()
				if err := tx.Exec("UPDATE workflows SET folded = ? WHERE id = ?", row.Folded, row.ID).Error; err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || len(rows) < foldBatch {
			return err
		}
	}
}
