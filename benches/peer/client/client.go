// Package client reads Northflank's API.
package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	v2 "github.com/conductorone/baton-sdk/pb/c1/connector/v2"
	"github.com/conductorone/baton-sdk/pkg/uhttp"
	"github.com/grpc-ecosystem/go-grpc-middleware/logging/zap/ctxzap"
)

// rowsPerPage is the most that Northflank allows.
const rowsPerPage = 100

// Client is allowed what its token is allowed.
type Client struct {
	http  *uhttp.BaseHttpClient
	base  *url.URL
	token string
}

// New makes a client for the API at base.
func New(ctx context.Context, base, token string) (*Client, error) {
	parsed, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("northflank: base URL: %w", err)
	}
	transport, err := uhttp.NewClient(ctx, uhttp.WithLogger(true, ctxzap.Extract(ctx)))
	if err != nil {
		return nil, err
	}
	wrapped, err := uhttp.NewBaseHttpClientWithContext(ctx, transport)
	if err != nil {
		return nil, err
	}
	return &Client{http: wrapped, base: parsed, token: token}, nil
}

// Check asks for one member, to see whether the token is good.
func (c *Client) Check(ctx context.Context) error {
	var answer envelope[memberRows]
	_, err := c.get(ctx, c.base.JoinPath("v1", "org-members"), url.Values{"per_page": {"1"}}, &answer)
	return err
}

// Members reads a page of the organization's members.
func (c *Client) Members(ctx context.Context, cursor string) (Page[Member], error) {
	var answer envelope[memberRows]
	limits, err := c.get(ctx, c.base.JoinPath("v1", "org-members"), paged(cursor), &answer)
	return pageOf(answer.Data.Members, answer.Pagination, limits), err
}

// Roles reads a page of the organization's roles.
func (c *Client) Roles(ctx context.Context, cursor string) (Page[Role], error) {
	var answer envelope[roleRows]
	limits, err := c.get(ctx, c.base.JoinPath("v1", "org-roles"), paged(cursor), &answer)
	return pageOf(answer.Data.Roles, answer.Pagination, limits), err
}

// RoleMembers reads a page of those who hold a role.
func (c *Client) RoleMembers(ctx context.Context, role, cursor string) (Page[RoleMember], error) {
	var answer envelope[roleMemberRows]
	limits, err := c.get(ctx, c.base.JoinPath("v1", "org-roles", role, "members"), paged(cursor), &answer)
	return pageOf(answer.Data.Members, answer.Pagination, limits), err
}

// Groups reads all directory groups; the endpoint isn't paged.
func (c *Client) Groups(ctx context.Context) ([]Group, error) {
	var answer envelope[groupRows]
	_, err := c.get(ctx, c.base.JoinPath("v1", "directory-groups"), nil, &answer)
	return answer.Data.Groups, err
}

// GroupMembers reads a page of those who are in a directory group.
func (c *Client) GroupMembers(ctx context.Context, group, cursor string) (Page[GroupMember], error) {
	var answer envelope[groupMemberRows]
	limits, err := c.get(ctx, c.base.JoinPath("v1", "directory-groups", group, "members"), paged(cursor), &answer)
	return pageOf(answer.Data.Members, answer.Pagination, limits), err
}

func paged(cursor string) url.Values {
	query := url.Values{"per_page": {strconv.Itoa(rowsPerPage)}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	return query
}

func (c *Client) get(ctx context.Context, address *url.URL, query url.Values, answer any) (*v2.RateLimitDescription, error) {
	address.RawQuery = query.Encode()
	request, err := c.http.NewRequest(ctx, http.MethodGet, address, uhttp.WithAcceptJSONHeader(), uhttp.WithBearerToken(c.token))
	if err != nil {
		return nil, err
	}
	limits := &v2.RateLimitDescription{}
	response, err := c.http.Do(request, uhttp.WithJSONResponse(answer), uhttp.WithRatelimitData(limits))
	if response != nil {
		defer response.Body.Close()
	}
	if err != nil {
		return limits, fmt.Errorf("northflank: GET %s: %w", address.Path, err)
	}
	return limits, nil
}
