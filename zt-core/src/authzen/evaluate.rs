//! One question, and many in one message.

use serde_json::{Map, Value, json};

use super::answer;
use super::decide::Outcome;
use super::json as form;
use super::request::{Question, optional_object};
use super::{Answer, BadRequest, Sitting};

/// More questions than this hold no message.
const MOST_EVALUATIONS: usize = 1_000;

/// When a message with many questions has been answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Semantic {
    ExecuteAll,
    DenyOnFirstDeny,
    PermitOnFirstPermit,
}

impl Semantic {
    const WORDS: [(&'static str, Self); 3] = [
        ("execute_all", Self::ExecuteAll),
        ("deny_on_first_deny", Self::DenyOnFirstDeny),
        ("permit_on_first_permit", Self::PermitOnFirstPermit),
    ];

    fn of(members: &Map<String, Value>) -> Result<Self, BadRequest> {
        const NAME: &str = "options.evaluations_semantic";
        let options = optional_object(members, "options", "options")?;
        let word = match options.and_then(|options| options.get("evaluations_semantic")) {
            None | Some(Value::Null) => return Ok(Self::ExecuteAll),
            Some(Value::String(word)) => word,
            Some(other) => {
                let reason = format!("is {}, expected a string", form::kind(other));
                return Err(BadRequest::new(NAME, reason));
            }
        };
        let found = Self::WORDS.iter().find(|(known, _)| known == word);
        found.map(|(_, semantic)| *semantic).ok_or_else(|| {
            let words = Self::WORDS.map(|(word, _)| format!("`{word}`")).join(", ");
            let word = form::shorten(word);
            BadRequest::new(NAME, format!("is `{word}`, expected one of {words}"))
        })
    }

    const fn ends_with(self, granted: bool) -> bool {
        match self {
            Self::ExecuteAll => false,
            Self::DenyOnFirstDeny => !granted,
            Self::PermitOnFirstPermit => granted,
        }
    }
}

impl Sitting<'_> {
    /// Access Evaluation: may this subject do this to that resource?
    ///
    /// # Errors
    /// A member is missing or has the wrong type.
    pub fn evaluation(&self, request: &Value) -> Result<Answer, BadRequest> {
        self.single(form::object(request)?)
    }

    /// Access Evaluations: many questions in one message, in their order, with defaults and with the semantic that
    /// `options.evaluations_semantic` names. A question that is incomplete is answered with `false` and an error of its
    /// own. Without `evaluations` it is [`evaluation`](Self::evaluation).
    ///
    /// # Errors
    /// A default, the options or the list itself has the wrong form; more than 1000 questions.
    pub fn evaluations(&self, request: &Value) -> Result<Answer, BadRequest> {
        const NAME: &str = "evaluations";
        let members = form::object(request)?;
        let semantic = Semantic::of(members)?;
        let questions = match members.get(NAME) {
            None | Some(Value::Null) => return self.single(members),
            Some(Value::Array(questions)) if questions.is_empty() => return self.single(members),
            Some(Value::Array(questions)) => questions,
            Some(other) => {
                let reason = format!("is {}, expected an array", form::kind(other));
                return Err(BadRequest::new(NAME, reason));
            }
        };
        if questions.len() > MOST_EVALUATIONS {
            let reason = format!(
                "has {} questions, at most {MOST_EVALUATIONS}",
                questions.len()
            );
            return Err(BadRequest::new(NAME, reason));
        }
        let defaults = Question::read(members)?;
        let (mut answers, mut outcomes) = (Vec::new(), Vec::new());
        for question in questions {
            let (answer, granted) = match self.one_of_many(question, defaults) {
                Ok(outcome) => {
                    let answer = answer::of_outcome(self.settings, &outcome);
                    let granted = outcome.is_granted();
                    outcomes.push(outcome);
                    (answer, granted)
                }
                Err(error) => (answer::of_error(400, &error.to_string()), false),
            };
            answers.push(answer);
            if semantic.ends_with(granted) {
                break;
            }
        }
        Ok(Answer::of_outcomes(json!({ NAME: answers }), outcomes))
    }

    fn single(&self, members: &Map<String, Value>) -> Result<Answer, BadRequest> {
        let outcome = self.decide(&Question::read(members)?)?;
        let answer = answer::of_outcome(self.settings, &outcome);
        Ok(Answer::of_outcomes(answer, vec![outcome]))
    }

    fn one_of_many(&self, question: &Value, defaults: Question<'_>) -> Result<Outcome, BadRequest> {
        let members = question.as_object().ok_or_else(|| {
            let reason = format!("is {}, expected an object", form::kind(question));
            BadRequest::new("evaluations[]", reason)
        })?;
        self.decide(&Question::read(members)?.or(defaults))
    }
}
