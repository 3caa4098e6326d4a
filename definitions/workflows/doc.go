// Package workflows keeps workflows: the changeable objects that have
// versions of a definition, a status and tags. Service checks what authors
// send and decides what a change writes; Store, which the caller supplies,
// writes it in one transaction.
//
// A change is decided by a pure function of the current row (Current.Revise
// has the last word), which the store calls inside of its transaction and may
// call again. So a workflow's revision, its ETag, rises by one for every
// change that is visible, and never for one that is not.
//
// A version never changes once stored. The active version is what new runs
// use; saving without publishing makes a later version the latest only.
//
// The package knows neither HTTP nor SQL, and nothing of how runs are
// executed beyond OpenRuns.
package workflows
