// Package schedules says when a workflow is due, in which zone, and sees to it
// that each due time becomes exactly one run, or one line that says why not.
//
// The times are pure: Parse reads an expression, Next walks the local calendar
// of a zone that is passed in, Decide says what becomes of the times that are
// due. The Service keeps schedules over a Store that the caller supplies; its
// loop decides and lets the store write the outcome together with the run.
package schedules
