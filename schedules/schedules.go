// Package schedules decides when a workflow is due, in which time zone, and
// promises that each due time becomes exactly one run, or one line of the ledger
// that says why not: also across crashes, restarts, clock changes and several
// nodes.
//
// # Due times
//
// Expressions are five cron fields with the semantics of POSIX and Vixie cron:
//   - Where both day of month and day of week are restricted, a day that matches
//     either is due: "0 9 13 * FRI" is every Friday and every 13th. Where one of
//     them is *, the other alone decides.
//   - Where clocks go forward, a time that does not exist fires at the first
//     instant after the gap: "30 2 * * *" in Europe/Berlin fires at 03:00 on the
//     last Sunday of March (Gap can say skip instead).
//   - Where clocks go back, a time that comes twice fires the first time:
//     "30 2 * * *" fires once on the last Sunday of October (Repeat can say last
//     or both).
//   - An expression whose hour field has * or / follows elapsed time, as Vixie
//     cron's wildcard jobs do: "*/15 * * * *" keeps firing every 15 minutes
//     through both changes, so it fires 92 times on the short day and 100 times
//     on the long one; nothing is moved and nothing is left out.
//   - @every counts elapsed time from the schedule's start, whatever clocks do.
//
// Parsing and the calendar are pure: Parse reads an expression, Spec.Next walks
// the local calendar of the zone that is passed in, and decide turns the state of
// a schedule and the current time into a Firing.
//
// # Firing
//
// The Service keeps schedules in a Store that the caller supplies. Its loop reads
// states, decides, and lets the store write the schedule's next due time, the
// ledger and the runs in one transaction that is fenced by the schedule's Fence:
// any number of nodes may decide at the same time, and one of them is stored.
//
// The package knows the executor's way to prepare a run; it does not know SQL,
// HTTP or the wall clock, which comes in as Config.Now.
package schedules
