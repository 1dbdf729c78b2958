"""What scripted models say, by act: patterns with `[a|b]` alternatives and `{slot}` places.

Questions must be recognised for what they are by the readers in `writ_app.engine.behaviour`, and so must answers.
"""

# --- who it is ---

ASK_IDENTITY = (
    "[I'd be|I'm] happy to help[| with that]. [May I have|Could you give me] {asked}?",
    "[Sure|Certainly|Of course], I can [help|look into that]. To [verify|confirm] who you are, [please tell me|could you tell me] {asked}?",
    "[Let me|I'll gladly] help you with that. First I need to find your account: what is {asked}?",
    "Thank you for reaching out. [Before we start|Before I can look at anything], could you [share|give me] {asked}?",
    "[Absolutely|Gladly]. [May I ask for|Could I have] {asked}[|, so that I can find your account]?",
    "[I can look into that|That is something I can look at]. [What is|May I have] {asked}, please?",
    "[Let's|We'll] sort this out together. To open your account I need {asked}: could you give me that?",
    "[Thanks|Thank you] for getting in touch. [Could|Would] you tell me {asked} [first|to begin with]?",
    "[Good that you ask|I'm on it]. For your account I need {asked}. Could you tell me?",
    "[With pleasure|My pleasure]. So that I look at the right account, [could|can] you give me {asked}?",
)
EXPLAIN = (
    "[Fair question|That's a fair question]: I can only open an account once I know whose it is. [May I have|Could you give me] {asked}?",
    "[I understand|Understood]. It keeps others from changing your things. [Could|Would] you tell me {asked}?",
    "It is [only|just] to make sure that I speak with the owner of the account. [May I have|Could I have] {asked}, please?",
    "[Of course|Sure], you may ask: our rules want me to find the account before anything else. What is {asked}?",
    "I need it to find your account and for nothing else. Could you [share|give me] {asked}?",
    "Without it I would not know [which account is yours|where to look]. Could you tell me {asked}?",
)
NOT_FOUND = (
    "I couldn't find [an account|anything] with {value}. Could you [double-check|check] that[| for me]?",
    "[Hm, no|No] account was found for {value}. Is that spelled correctly? [Please check|Could you check] it.",
    "[I'm sorry|Sorry], but nothing was found with {value}. Could you [check|confirm] {asked}[| once more]?",
    "I looked for {value}, but there is no match. Could you give me {asked} again?",
    "There is no account [for|under] {value}. Could you [check|double-check] {asked}?",
    "[Hm|Strange], {value} was not found. [Perhaps|Maybe] there is a typo in it: could you check that?",
    "The search for {value} found no account. Could you tell me {asked} [again|once more], please?",
)
FOUND_YOU = (
    "Thank you, I found your account.",
    "[Thanks|Thank you], I have your account [here|in front of me].",
    "Great, [that worked|I found you].",
    "Perfect, I've located your account.",
    "[Thank you|Thanks]. Your account is open [here|on my side].",
    "[Good|Very good], I have [you|your account] on my screen.",
    "[Thanks|Thank you], [that's|that is] all I needed to find you.",
    "[Wonderful|Great], your account is here.",
)
READ_BACK = (
    "[Thank you|Thanks], I noted {value} and found your account.",
    "{value}, [got it|noted]. Your account is open here.",
    "I have that as {value}, and your account is here.",
    "[Thank you|Thanks], with {value} I found you.",
)

# --- what is wanted ---

REPEAT_BACK = (
    "[Just to make sure|To be sure] I have it right: you said {value}. Is that correct?",
    "Let me read that back: {value}. Is [that|this] right?",
    "I noted {value}. [Did I get that right|Is that what you meant]?",
    "[Before I go on|One check]: {value}, is that [correct|right]?",
    "[I have|I wrote down] {value} here. Is that [what you meant|right]?",
    "You mentioned {value}. Did I [understand|read] that [correctly|right]?",
    "[So that|To make sure that] there is no mix-up: {value}, right?",
)
ASK_DETAIL = (
    "What [exactly|precisely] would you like [me to do|to have done]?",
    "Could you tell me [a little |]more about what you need?",
    "Could you [tell|give] me the [remaining |]details of what you have in mind?",
    "What else should I know about [this|it]?",
    "[How|In what way] would you like [it|this] to be handled?",
    "[Is there|Are there] [more to it|further details] that I should [know|keep in mind]?",
    "[Can|Could] you [describe|explain] a bit more [closely |]what you [want|have in mind]?",
    "What [matters|is important] to you [here|in this]?",
    "[What|Which details] [are still missing|should I add to that]?",
    "Which [conditions|wishes] should I [respect|keep to]?",
)
ACKNOWLEDGE = (
    "[Understood|Got it|Noted].",
    "[Thank you|Thanks][|, that helps].",
    "[All right|Alright].",
    "[Okay|OK], thank you.",
    "[I see|Very well].",
    "That is clear, thanks.",
    "[Good|Good to know].",
    "[I have|I've got] that.",
    "[Thanks for|Thank you for] [telling me|the details].",
    "[Clear|Makes sense].",
)
CHECK_IN = (
    "Before I look into it: [have I got|do I have] the whole picture, or is there more to know?",
    "[Thank you|Thanks], I have that. Is it [complete|all] as you told it, or [is something missing|did we miss something]?",
    "[Let me|I'd like to] be sure before I begin: is that what you have in mind?",
    "[Noted|Got it]. Is that the whole of it, or does something belong to it that I don't know yet?",
    "[All right|Alright], that is [what I have|my note of it]. Does it [match|fit] what you want?",
    "I have written that down. Is there [a detail|a point] that should be different?",
)
GIVE_UP = (
    "I'm sorry, but without that I can't [go on|help you further]. You are welcome to come back [with it|once you have it] at any time.",
    "Unfortunately I can't continue [without this detail|as long as I don't know that]. I'm here whenever you [have|find] it.",
    "I understand. As long as I don't have that, though, I'm unable to [do anything|proceed], so I'll leave it here for [now|today].",
)
ASIDES: dict[str, tuple[str, ...]] = {
    "small_talk": (
        "[Thank you|Thanks], all is well [here|on my side].",
        "[I hope|Let's hope] it gets [better|nicer] soon.",
        "[Ha, I know|Oh, I know] the feeling.",
        "[Nice of you|Kind of you] to say, thanks.",
    ),
    "irrelevant": (
        "[Oh, nice|How nice].",
        "[Ha, no problem|No problem at all].",
        "[I see|Oh, I see], thanks for telling me.",
        "That sounds [lively|like a lot].",
    ),
    "policy_question": (
        "[That|Your other question] is outside of what I know [here|at this desk], so back to your request.",
        "About that I have no information, so let's [stay with|go back to] your request.",
        "[Good question|I wish I knew], but that is not [something|a thing] that I have in front of me.",
        "On that point I have nothing to offer; [for|with] your request I do.",
    ),
    "time_pressure": (
        "I'll [be quick|make it short].",
        "[Understood|Of course], [let's be quick|as fast as I can].",
        "[We're nearly there|It is a matter of moments].",
    ),
    "repeats_demand": (
        "[I hear you|I know], and I'm [on it|working on it].",
        "[Yes|I understand], that is what I'm [working on|looking at].",
        "[Understood|Noted], I have [that|it] down.",
    ),
    "threatens_to_leave": (
        "[I understand|I see] that this is [annoying|tiresome], and I'm doing what I [can|may].",
        "[Thank you|Thanks] for your patience, I'm [on it|working on it].",
        "I'd be [glad|happy] to keep you [with us|as a customer].",
    ),
    "refuses_optional": (
        "That's fine, I don't need it.",
        "[No problem|Of course], [that's up to you|you may keep that].",
        "[That's all right|All right], it goes without.",
    ),
    "answer_only": (
        "[Understood|Of course], I'll keep it short.",
        "[Sure|All right], only the result then.",
    ),
}
"""Value of a dimension of behaviour → what is said to it in passing."""

# --- proposals ---

LOOKED = (
    "[Thank you for waiting|Thanks for your patience]. I looked [everything|it all] up.",
    "[I have|I've] checked [this|that] for you.",
    "[Here is|This is] what I found.",
    "I [went through|looked at] [what we have|the details].",
    "I've had a look.",
    "[Thanks|Thank you] for [waiting|bearing with me].",
    "[So|Right], I have [the details|everything] in front of me now.",
    "[I looked|I've looked] into it.",
)
COMPARED = (
    "Of the {count} that fit, {gold} has the {place} {field} ({value}); next comes {runner} ({other}).",
    "[There are|I found] {count} that fit: {gold} has the {place} {field} ({value}), followed by {runner} ({other}).",
    "{gold} has the {place} {field} of the {count} that fit ({value}). [After it|Then] comes {runner} ({other}).",
    "{count} [of them |]fit. The {place} {field} is that of {gold} ({value}), then comes {runner} ({other}).",
)
RUNNER_UP = (
    "Besides {gold}, {runner} would fit [what you told me|your wishes], too.",
    "The other option is {runner}; by what you told me, {gold} is the one to take.",
    "[What else fits|Next in line] is {runner}. What you asked for leads to {gold}.",
    "[There is also|You could also have] {runner}, but {gold} is what [you asked for|your wishes lead to].",
)
NO_OTHER = (
    "[This|It] is the one that fits what you told me.",
    "By what you told me, this is the one to take.",
    "What you asked for leads to this one.",
)
PROPOSE = (
    "[Here is|This is] what I [will|would] do: {change}. Shall I go ahead (yes/no)?",
    "[If you agree|With your permission], I will {change}. Do you confirm (yes/no)?",
    "[Just to confirm|To confirm]: I am going to {change}. Is that okay (yes/no)?",
    "I can {change}. Would you like me to proceed (yes/no)?",
    "[The next step is|What I would do now is] to {change}. Shall I proceed? Please answer yes or no.",
    "[To summarize|In short], I would {change}. May I go ahead (yes/no)?",
    "[My proposal|What I propose]: {change}. [Do you agree|Shall I go ahead] (yes/no)?",
    "[I would now|Now I would] {change}. Shall I [proceed|go ahead], yes or no?",
    "[This is how it would look|It would look like this]: I {change}. Do you want me to go ahead (yes/no)?",
    "[Ready|All is ready]: I would {change}. [Do I have your okay|May I proceed] (yes/no)?",
)
COMPLETE_LIST = (
    "Please check that the list is complete, as this can be done only once.",
    "Please make sure that nothing is missing, because this is possible only once per order.",
    "[Keep in mind|Note] that this can be done only once, so please check that it is complete.",
)
RECAP = (
    "[Of course|Sure|Gladly], [here it is once more|once more]:",
    "[To sum up|In sum]:",
    "[Certainly|With pleasure], [this is|here is] the summary.",
    "[Let me|I'll] sum it up [for you|once more].",
)
AGAIN = (
    "[Sorry, I need|I need] a clear answer before I change anything.",
    "[I just need|May I have] a yes or no, please.",
    "I don't want to change anything against your wishes, so once more:",
    "[No hurry|Take your time]. Here it is again.",
    "[I hear you|I see]. For the change itself I need a yes or a no.",
)
DONE = (
    "[Done|All done|That's done]. {outcome}",
    "[Thank you|Thanks]. {outcome}",
    "[That went through|It worked]. {outcome}",
    "[All set|Good news]: {outcome}",
    "{outcome}",
    "[That's taken care of|It is done]. {outcome}",
    "[Perfect|Very good], [that worked|done]. {outcome}",
    "[The system has taken it|It has gone through]. {outcome}",
)

# --- the end ---

ANYTHING_ELSE = (
    "Is there anything else I can [do for you|help you with]?",
    "[Can|May] I help you with anything else[| today]?",
    "Is there anything else you need?",
    "[Would you like|Do you need] help with anything else?",
    "Anything else I can help you with[| today]?",
    "[Is there|Do you have] anything else on your mind?",
    "Can I do anything else for you[| today]?",
    "[Do you need|Would you like] anything else[| from me]?",
)
ASSURE = (
    "[Yes, I'm sure|Yes, I am certain]. [To repeat|Once more]:",
    "[I understand that you want to be sure|You can be sure]. This is how it stands:",
    "[Yes|Rest assured], this is what my system [says|shows]:",
    "[I'm sure|I am sure], yes. [Again|Once again]:",
)
STAND_BY = (
    "I [understand|see] that [you'd hoped for something else|this is disappointing], but it stays as it is.",
    "[I wish I could|I'd like to], but the rule holds for everyone.",
    "I [know|see], and still there is no way around the rule.",
    "[Thank you for|Thanks for] explaining. [All the same|Even so], my answer stays the same.",
)
FAREWELL = (
    "You're welcome. [Have a nice day|Take care]!",
    "My pleasure. [Goodbye|Have a good day]!",
    "Glad I could help. [Have a great day|All the best]!",
    "[Thank you|Thanks] for [getting in touch|your time]. [Goodbye|Take care]!",
)
CHECKING = "One moment, please."

# What agents say when they are asked to make a mistake.

WRONG_REFUSAL = (
    "I'm sorry, but I'm unable to do that for you.",
    "Unfortunately that is not possible.",
    "I'm afraid I can't help with this request.",
)
BY_RULE = (
    "I'm sorry, but I can't do that: rule {clause} of our policy does not allow it.",
    "Unfortunately I have to refuse that, because of rule {clause} of our policy.",
    "I'm afraid that isn't possible. Policy {clause} forbids it.",
)
PROMISED = (
    "[Done|All done], that is taken care of.",
    "[Great news|Good news]: everything is arranged as you wished.",
    "[Of course|Sure], I have arranged that for you.",
)
HOLLOW = (
    "[By the way|Also], I have updated your profile.",
    "[In addition|As a courtesy], I've cancelled your newsletter.",
    "I have [also |]changed your contact preferences.",
)
FEE = (
    "Please note that [a service fee|a handling fee] of {amount} applies.",
    "[There is|You will see] a processing fee of {amount} on your next statement.",
)
CASE = (
    "Your case number [for this |]is {number}.",
    "[For your records|If you call again], your reference is {number}.",
)
HANDED_OVER = (
    "A colleague will [get back to you|be in touch] soon. Is there anything else I can help you with?",
    "I have passed this on. [Can I|May I] help you with anything else?",
)

CONTRADICTED = (
    "[By the way|Oh, and], the {what} is {value}.",
    "[Just to add|One more thing]: my {what} is {value}.",
)
MEDDLING = (
    "[Let me|I will] look that up for you with {tool}.",
    "[Please call|Call] {tool} [now|for that].",
)
WITHHELD = (
    "I'd rather not [say|tell you that].",
    "I don't want to [give|tell] you that.",
    "[Do you really need that|Why does that matter]? I won't tell.",
)
INSISTING = (
    "I already told you, that is how it is.",
    "[I'm sure|I am certain] that what I told you is right.",
    "There is no mistake in what I said.",
)
NOT_YET = (
    "No, wait. I want to think about it first.",
    "Wait. I want to think about it first.",
    "Hold on, I want to think about it first.",
    "No, not yet.",
    "Hold on, don't do that yet.",
    "Wait, don't do anything yet.",
)
LEAVING = (
    "[Sorry|Oh], I have to [go|leave] now. Bye!",
    "[Never mind|Forget it], I'm out of time. Goodbye.",
    "I [need|have] to run, [bye|goodbye].",
)
INVENTED = (
    "By the way, my [loyalty|membership] number is {number}.",
    "[In case you need it|If it helps], my customer number is {number}.",
    "My reference for [this|it] is {number}, I think.",
)
