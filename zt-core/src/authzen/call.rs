//! The five calls of the API, with their names and paths.

/// A call of the Authorization API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "version 1.0 of the API has these; whoever serves it must serve each"
)]
pub enum Call {
    /// One question.
    Evaluation,
    /// Many questions in one message.
    Evaluations,
    /// Which subjects may?
    SearchSubject,
    /// On which resources?
    SearchResource,
    /// What may be done?
    SearchAction,
}

impl Call {
    /// Every call.
    pub const ALL: [Self; 5] = [
        Self::Evaluation,
        Self::Evaluations,
        Self::SearchSubject,
        Self::SearchResource,
        Self::SearchAction,
    ];

    /// Its default path.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Evaluation => "/access/v1/evaluation",
            Self::Evaluations => "/access/v1/evaluations",
            Self::SearchSubject => "/access/v1/search/subject",
            Self::SearchResource => "/access/v1/search/resource",
            Self::SearchAction => "/access/v1/search/action",
        }
    }

    /// Its name in the metadata.
    #[must_use]
    pub const fn metadata_name(self) -> &'static str {
        match self {
            Self::Evaluation => "access_evaluation_endpoint",
            Self::Evaluations => "access_evaluations_endpoint",
            Self::SearchSubject => "search_subject_endpoint",
            Self::SearchResource => "search_resource_endpoint",
            Self::SearchAction => "search_action_endpoint",
        }
    }
}
