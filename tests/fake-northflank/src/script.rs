//! Scripted answers: what a test wants to happen at a certain request.

use std::time::Duration;

use serde_json::Value;

use crate::answer::Answer;
use crate::delivery::Delivery;
use crate::organization::Organization;
use crate::route::Endpoint;

/// At which requests something else happens.
pub struct Rule {
    /// Requests to this endpoint,
    pub endpoint: Endpoint,
    /// of this role or group (all if `None`),
    pub id: Option<String>,
    /// for a later page than the first (any page if false),
    pub only_later_pages: bool,
    /// after so many that go as usual,
    pub after: usize,
    /// so many times.
    pub times: usize,
    /// What happens.
    pub action: Action,
}

/// What happens at a request.
pub enum Action {
    /// This is answered instead.
    Respond {
        /// The status.
        status: u16,
        /// Headers, besides content type and rate headers, which these replace.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// 429. Any request before the time that it tells to wait is a violation.
    Refuse {
        /// Headers, besides content type and rate headers, which these replace.
        headers: Vec<(String, String)>,
        /// How long they tell to wait.
        wait: Duration,
    },
    /// What would be answered goes out altered.
    Alter(Box<dyn FnMut(&mut Answer) + Send>),
    /// The organization changes before the request is answered.
    Mutate(Box<dyn FnMut(&mut Organization) + Send>),
}

impl Rule {
    /// Every request to an endpoint.
    pub fn every(endpoint: Endpoint, action: Action) -> Self {
        Self { endpoint, id: None, only_later_pages: false, after: 0, times: usize::MAX, action }
    }

    /// Only requests of the role or group `id`.
    #[must_use]
    pub fn of(self, id: &str) -> Self {
        Self { id: Some(id.to_owned()), ..self }
    }

    /// Only requests for a later page than the first, by cursor or number.
    #[must_use]
    pub fn of_later_pages(self) -> Self {
        Self { only_later_pages: true, ..self }
    }

    /// Only after so many requests that go as usual.
    #[must_use]
    pub fn after(self, requests: usize) -> Self {
        Self { after: requests, ..self }
    }

    /// Only once.
    #[must_use]
    pub fn once(self) -> Self {
        self.times(1)
    }

    /// Only so many times.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// Whether the request is this rule's; counts it if so.
    pub(crate) fn takes(
        &mut self,
        endpoint: Endpoint,
        id: Option<&str>,
        is_later_page: bool,
    ) -> bool {
        if self.endpoint != endpoint || self.id.as_deref().is_some_and(|own| Some(own) != id) {
            return false;
        }
        if self.only_later_pages && !is_later_page {
            return false;
        }
        if self.after > 0 {
            self.after -= 1;
            return false;
        }
        if self.times == 0 {
            return false;
        }
        self.times -= 1;
        true
    }
}

impl Action {
    /// An answer with a JSON body.
    pub fn json(status: u16, body: &str) -> Self {
        Self::Respond { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    }

    /// What would be answered goes out altered.
    pub fn alter(alter: impl FnMut(&mut Answer) + Send + 'static) -> Self {
        Self::Alter(Box::new(alter))
    }

    /// What would be answered goes out with an altered body. Bodies that aren't JSON become
    /// JSON's null first.
    pub fn alter_json(mut alter: impl FnMut(&mut Value) + Send + 'static) -> Self {
        Self::alter(move |answer| {
            let mut body = serde_json::from_slice(&answer.body).unwrap_or_default();
            alter(&mut body);
            answer.body = body.to_string().into_bytes();
        })
    }

    /// What would be answered goes out in this way.
    pub fn deliver(delivery: Delivery) -> Self {
        Self::alter(move |answer| answer.delivery = delivery)
    }

    /// The organization changes before the request is answered.
    pub fn mutate(change: impl FnMut(&mut Organization) + Send + 'static) -> Self {
        Self::Mutate(Box::new(change))
    }
}
