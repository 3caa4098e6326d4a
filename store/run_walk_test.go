package store_test

import (
	"database/sql"
	"heddle/store"
	"heddle/store/storetest"
	"testing"
)

// Pages of lists hold the same runs however few of them one page may look at.
func TestShortWalksLoseNoRun(t *testing.T) {
	schemas(t, func(t *testing.T, url string, _ *sql.DB) {
		db := open(t, url)
		store.LimitWalks(db, 7, 5)
		storetest.RunFilters(t, db)
	})
}
