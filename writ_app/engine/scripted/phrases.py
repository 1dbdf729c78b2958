"""What scripted models say, by act: patterns with `[a|b]` alternatives and `{slot}` places.

Questions must be recognised for what they are by the readers in `writ_app.engine.behaviour`, and so must answers.
"""

ASK_IDENTITY = (
    "[I'd be|I'm] happy to help[| with that]. [May I have|Could you give me] {asked}?",
    "[Sure|Certainly|Of course], I can [help|look into that]. To [verify|confirm] who you are, [please tell me|could you tell me] {asked}?",
    "[Let me|I'll gladly] help you with that. First I need to find your account: what is {asked}?",
    "Thank you for reaching out. [Before we start|Before I can look at anything], could you [share|give me] {asked}?",
    "[Absolutely|Gladly]. [May I ask for|Could I have] {asked}[|, so that I can find your account]?",
)
NOT_FOUND = (
    "I couldn't find [an account|anything] with {value}. Could you [double-check|check] that[| for me]?",
    "[Hm, no|No] account was found for {value}. Is that spelled correctly? [Please check|Could you check] it.",
    "[I'm sorry|Sorry], but nothing was found with {value}. Could you [check|confirm] {asked}[| once more]?",
    "I looked for {value}, but there is no match. Could you give me {asked} again?",
)
REPEAT_BACK = (
    "[Just to make sure|To be sure] I have it right: you said {value}. Is that correct?",
    "Let me read that back: {value}. Is [that|this] right?",
    "I noted {value}. [Did I get that right|Is that what you meant]?",
    "[Before I go on|One check]: {value}, is that [correct|right]?",
)
ASK_DETAIL = (
    "What [exactly|precisely] would you like [me to do|to have done]?",
    "Could you tell me [a little |]more about what you need?",
    "Could you [tell|give] me the [remaining |]details of what you have in mind?",
    "What else should I know about [this|it]?",
    "[How|In what way] would you like [it|this] to be handled?",
)
FOUND_YOU = (
    "Thank you, I found your account.",
    "[Thanks|Thank you], I have your account [here|in front of me].",
    "Great, [that worked|I found you].",
    "Perfect, I've located your account.",
    "[Thank you|Thanks]. Your account is open [here|on my side].",
)
ACKNOWLEDGE = (
    "[Understood|Got it|Noted].",
    "[Thank you|Thanks][|, that helps].",
    "[All right|Alright].",
    "[Okay|OK], thank you.",
    "[I see|Very well].",
    "That is clear, thanks.",
)
LOOKED = (
    "[Thank you for waiting|Thanks for your patience]. I looked [everything|it all] up.",
    "[I have|I've] checked [this|that] for you.",
    "[Here is|This is] what I found.",
    "I [went through|looked at] [your account and orders|the details].",
    "I've had a look.",
)
COMPARED = (
    "Of the {count} that fit, {gold} has the {place} {field} ({value}); next comes {runner} ({other}).",
    "[There are|I found] {count} that fit: {gold} has the {place} {field} ({value}), followed by {runner} ({other}).",
    "{gold} has the {place} {field} of the {count} that fit ({value}). [After it|Then] comes {runner} ({other}).",
)
PROPOSE = (
    "[Here is|This is] what I [will|would] do: {change}. Shall I go ahead (yes/no)?",
    "[If you agree|With your permission], I will {change}. Do you confirm (yes/no)?",
    "[Just to confirm|To confirm]: I am going to {change}. Is that okay (yes/no)?",
    "I can {change}. Would you like me to proceed (yes/no)?",
    "[The next step is|What I would do now is] to {change}. Shall I proceed? Please answer yes or no.",
    "[To summarize|In short], I would {change}. May I go ahead (yes/no)?",
)
COMPLETE_LIST = (
    "Please check that the list is complete, as this can be done only once.",
    "Please make sure that nothing is missing, because this is possible only once per order.",
    "[Keep in mind|Note] that this can be done only once, so please check that it is complete.",
)
DONE = (
    "[Done|All done|That's done]. {outcome}",
    "[Thank you|Thanks]. {outcome}",
    "[That went through|It worked]. {outcome}",
    "[All set|Good news]: {outcome}",
    "{outcome}",
)
ANYTHING_ELSE = (
    "Is there anything else I can [do for you|help you with]?",
    "[Can I|May I] help you with anything else[| today]?",
    "Is there anything else you need?",
    "[Would you like|Do you need] help with anything else?",
    "Anything else I can help you with[| today]?",
)
AGAIN = (
    "[Sorry, I need|I need] a clear answer before I change anything: shall I go ahead, yes or no?",
    "[I just need|May I have] a yes or no, please. Shall I proceed?",
    "To be sure that I don't change anything against your wishes: yes or no?",
)
FAREWELL = (
    "You're welcome. [Have a nice day|Take care]!",
    "My pleasure. [Goodbye|Have a good day]!",
    "Glad I could help. [Have a great day|All the best]!",
)
WRONG_REFUSAL = (
    "I'm sorry, but I'm unable to do that for you.",
    "Unfortunately that is not possible.",
    "I'm afraid I can't help with this request.",
)
CHECKING = "One moment, please."

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
