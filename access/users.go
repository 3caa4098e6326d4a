package access

import (
	"context"
	"heddle/audit"
	"heddle/fault"
	"time"
)

// User is a person of a tenant, whom a provider of identities signed in. Issuer and
// Subject name the person there and never change; Email, Name and Role are as of the
// last sign-in.
type User struct {
	ID         string
	TenantID   string
	TenantSlug string
	TenantName string
	Issuer     string
	Subject    string
	Email      string // "" where the provider does not say
	Name       string
	Role       Role
	// RoleSet: an administrator gave the role, and sign-ins do not change it.
	RoleSet    bool
	CreatedAt  time.Time
	LastSeenAt time.Time
	DisabledAt time.Time // zero: may sign in
	Grants     []Grant   // filled by SessionByHash and UserByID
}

// actor is the user as journals and the audit trail name it.
func (u User) actor() audit.Actor { return audit.Actor{Type: audit.User, ID: u.ID, Name: u.Name} }

// principal returns what the user may do.
func (u User) principal() Principal {
	return Principal{
		Actor: u.actor(), Email: u.Email, TenantID: u.TenantID, TenantSlug: u.TenantSlug, TenantName: u.TenantName,
		Role: u.Role, Grants: u.Grants,
	}
}

// UserStore keeps users.
type UserStore interface {
	// UserBySubject finds the user whom an issuer calls so; fault.NotFound
	// user_not_found.
	UserBySubject(ctx context.Context, tenantID, issuer, subject string) (User, error)
	// UserByID finds a user of the tenant with its grants; fault.NotFound user_not_found.
	UserByID(ctx context.Context, tenantID, id string) (User, error)
	// SignInUser stores a user, or the new email, name, role and time of one that is
	// there by its id, and a session of it, in one transaction. Errors: fault.Denied
	// user_disabled; fault.Conflict user_changing where another sign-in made the user
	// meanwhile; fault.Conflict sign_in_used where the sign-in was completed before.
	SignInUser(ctx context.Context, u User, s Session) error
	// Users lists the tenant's users, newest first.
	Users(ctx context.Context, tenantID, cursor string, limit int) (list []User, next string, err error)
	// ChangeUser changes a user as of that time; disabling it ends its sessions. It returns
	// the user. fault.NotFound user_not_found.
	ChangeUser(ctx context.Context, tenantID, id string, p UserPatch, at time.Time) (User, error)
}

// Identity is a person whom a provider signed in, with the role that the person has here.
type Identity struct {
	Issuer, Subject, Email, Name string
	Role                         Role
}

// SignInUser begins a session of the person in the tenant with that slug, who becomes a
// user of it by the first one. signIn is Session.SignIn. Errors: fault.Denied
// user_disabled; fault.Conflict sign_in_used; fault.NotFound tenant_not_found.
func (s *Service) SignInUser(ctx context.Context, tenantSlug string, who Identity, signIn string, from Browser, requestID string) (NewSession, error) {
	t, err := s.store.TenantBySlug(ctx, tenantSlug)
	if err != nil {
		return NewSession{}, err
	}
	made, err := s.signInUser(ctx, t, who, signIn, from, requestID)
	if fault.CodeOf(err) == "user_changing" {
		// Another first sign-in of the same person was faster; now the user is there.
		made, err = s.signInUser(ctx, t, who, signIn, from, requestID)
	}
	// A new role holds at once in the sessions that the user has already.
	s.invalidate()
	return made, err
}

// signInUser is one attempt of SignInUser.
func (s *Service) signInUser(ctx context.Context, t Tenant, who Identity, signIn string, from Browser, requestID string) (NewSession, error) {
	u, err := s.store.UserBySubject(ctx, t.ID, who.Issuer, who.Subject)
	if fault.KindOf(err) == fault.NotFound {
		u = User{ID: s.newID("user_"), TenantID: t.ID, Issuer: who.Issuer, Subject: who.Subject, CreatedAt: s.now()}
	} else if err != nil {
		return NewSession{}, err
	}
	u.Email, u.Name, u.Role, u.LastSeenAt = who.Email, who.Name, who.Role, s.now()
	made := s.newSession(t.ID, u.actor(), from)
	made.SignIn = signIn
	ctx = audit.WithTrail(ctx, s.Trail(u.principal(), "session.create", requestID))
	return made, s.store.SignInUser(ctx, u, made.Session)
}

// Users lists at most limit of the tenant's users, newest first, disabled ones too, and
// returns the cursor of the next page, "" on the last.
func (s *Service) Users(ctx context.Context, tenantID, cursor string, limit int) ([]User, string, error) {
	return s.store.Users(ctx, tenantID, cursor, limit)
}

// UserPatch changes a user; nil leaves what it is about as it is.
type UserPatch struct {
	Disabled *bool
	// Role is what the user has from now on, whatever sign-ins bring; "" goes back to what
	// the last one brought.
	Role *Role
}

// ChangeUser changes a user. A disabled user's sessions end, and a new role holds, at once
// on this node and within cacheTTL on others. Errors: fault.NotFound user_not_found;
// fault.Unacceptable invalid_role.
func (s *Service) ChangeUser(ctx context.Context, tenantID, id string, p UserPatch) (User, error) {
	if p.Role != nil && *p.Role != "" {
		if err := checkRole(*p.Role); err != nil {
			return User{}, err
		}
	}
	u, err := s.store.ChangeUser(ctx, tenantID, id, p, s.now())
	if err == nil {
		s.invalidate()
	}
	return u, err
}
