package client

import (
	"context"
	"encoding/json"
)

// OrganizationTeam is a team of the organization.
type OrganizationTeam struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	UID         string `json:"uid"`
	CreatedAt   string `json:"createdAt"`
}

// TeamMember is somebody in a team or one of its roles; the id may be null.
type TeamMember struct {
	ID        *string `json:"id"`
	Name      string  `json:"name"`
	Emails    []Email `json:"emails"`
	LastLogin string  `json:"lastLoginTime"`
	Finalized *bool   `json:"finalized"`
}

// TeamRole is a role of a team.
type TeamRole struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	Description  string `json:"description"`
	Restrictions struct {
		Enabled bool     `json:"enabled"`
		IDs     []string `json:"projects"`
		Mode    string   `json:"restrictionMode"`
	} `json:"restrictions"`
	CreatedAt string `json:"createdAt"`
	UpdatedAt string `json:"updatedAt"`
}

// Teams reads the organization's teams.
func (c *Client) Teams(ctx context.Context) ([]OrganizationTeam, error) {
	return everything[OrganizationTeam](ctx, c, "teams", "v1", "teams")
}

// TeamMembers reads who is in a team.
func (c *Client) TeamMembers(ctx context.Context, team string) ([]TeamMember, error) {
	return everything[TeamMember](ctx, c, "members", "v1", "teams", team, "members")
}

// TeamRoles reads the roles of a team.
func (c *Client) TeamRoles(ctx context.Context, team string) ([]TeamRole, error) {
	return everything[TeamRole](ctx, c, "roles", "v1", "teams", team, "roles")
}

// TeamRoleMembers reads who holds a role of a team.
func (c *Client) TeamRoleMembers(ctx context.Context, team, role string) ([]TeamMember, error) {
	return everything[TeamMember](ctx, c, "members", "v1", "teams", team, "roles", role, "members")
}

// everything reads all pages of a list.
func everything[T any](ctx context.Context, c *Client, key string, path ...string) ([]T, error) {
	var rows []T
	cursor := ""
	for {
		var answer envelope[map[string]json.RawMessage]
		if _, err := c.get(ctx, c.base.JoinPath(path...), paged(cursor), &answer); err != nil {
			return nil, err
		}
		var page []T
		if err := json.Unmarshal(answer.Data[key], &page); err != nil {
			return nil, err
		}
		rows = append(rows, page...)
		if !answer.Pagination.HasNextPage {
			return rows, nil
		}
		cursor = answer.Pagination.Cursor
	}
}
