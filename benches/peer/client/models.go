package client

import (
	v2 "github.com/conductorone/baton-sdk/pb/c1/connector/v2"
)

// Page is part of a list. Next is the cursor of the next page, empty on the last.
type Page[T any] struct {
	Rows   []T
	Next   string
	Limits *v2.RateLimitDescription
}

// Member is somebody in the organization.
type Member struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"`
	Emails    []Email `json:"emails"`
	JoinedAt  string  `json:"joinedAt"`
	LastLogin string  `json:"lastLoginTime"`
	Finalized *bool   `json:"finalized"`
	// IsOutsider is true of somebody who is only in teams.
	IsOutsider bool `json:"-"`
}

// Email is an address of a member.
type Email struct {
	Address  string `json:"address"`
	Verified *bool  `json:"verified"`
}

// Role is a role of the organization.
type Role struct {
	ID              string       `json:"id"`
	Name            string       `json:"name"`
	Description     string       `json:"description"`
	Restrictions    Restrictions `json:"restrictions"`
	DirectoryGroups []string     `json:"directoryGroups"`
	CreatedAt       string       `json:"createdAt"`
	UpdatedAt       string       `json:"updatedAt"`
}

// Restrictions says in which teams a role applies.
type Restrictions struct {
	Enabled bool   `json:"enabled"`
	Teams   []Team `json:"teams"`
}

// Team is one team of a role's restrictions, and to which of its projects it is restricted.
type Team struct {
	ID       string `json:"teamId"`
	Projects struct {
		Enabled bool     `json:"enabled"`
		IDs     []string `json:"projects"`
		Mode    string   `json:"restrictionMode"`
	} `json:"restrictions"`
}

// RoleMember is somebody who holds a role: "explicit" when added by hand, "implicit" when
// through a linked directory group.
type RoleMember struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// Group is a directory group.
type Group struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	IdpID     string `json:"idpId"`
	CreatedAt string `json:"createdAt"`
	UpdatedAt string `json:"updatedAt"`
}

// GroupMember is somebody in a directory group; the id is null without an account.
type GroupMember struct {
	ID *string `json:"id"`
}

type envelope[T any] struct {
	Data       T          `json:"data"`
	Pagination pagination `json:"pagination"`
}

type pagination struct {
	HasNextPage bool   `json:"hasNextPage"`
	Cursor      string `json:"cursor"`
}

type (
	memberRows struct {
		Members []Member `json:"members"`
	}
	roleRows struct {
		Roles []Role `json:"roles"`
	}
	roleMemberRows struct {
		Members []RoleMember `json:"members"`
	}
	groupRows struct {
		Groups []Group `json:"directoryGroups"`
	}
	groupMemberRows struct {
		Members []GroupMember `json:"members"`
	}
)

func pageOf[T any](rows []T, pagination pagination, limits *v2.RateLimitDescription) Page[T] {
	page := Page[T]{Rows: rows, Limits: limits}
	if pagination.HasNextPage {
		page.Next = pagination.Cursor
	}
	return page
}
