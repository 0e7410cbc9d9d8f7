package client

import "context"

// APIToken is an API token, without its secret.
type APIToken struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Role        struct {
		ID   string `json:"roleId"`
		Name string `json:"name"`
		Type string `json:"roleType"`
	} `json:"role"`
	CreatorEmail string `json:"creatorEmail"`
	CreatedAt    string `json:"createdAt"`
	ExpiresAt    string `json:"expiresAt"`
	LastUsedAt   string `json:"lastUsedAt"`
	Active       *bool  `json:"active"`
	Revoked      bool   `json:"revoked"`
}

// Tokens reads the organization's own API tokens.
func (c *Client) Tokens(ctx context.Context) ([]APIToken, error) {
	return everything[APIToken](ctx, c, "tokens", "v1", "tokens")
}

// TeamTokens reads the API tokens of a team.
func (c *Client) TeamTokens(ctx context.Context, team string) ([]APIToken, error) {
	return everything[APIToken](ctx, c, "tokens", "v1", "teams", team, "tokens")
}

// AllMembers reads all pages of the organization's members.
func (c *Client) AllMembers(ctx context.Context) ([]Member, error) {
	return everything[Member](ctx, c, "members", "v1", "org-members")
}
