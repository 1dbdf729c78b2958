"""What users say beside their request, by dimension and value: patterns with `[a|b]` alternatives and `{slot}` places.

A remark tells no fact of the request, is no yes and no no, and names nothing with a number.
"""

WHY = (
    "[Why do you need|What do you need] that[| for]?",
    "[Hm, is|Is] that really necessary? [Why|What for]?",
    "[Before I tell you that|First], what do you need [it|that] for?",
    "[Do I have|Must I] to say that? [Why|What is it used for]?",
    "I'd [rather|like to] know first what that is [needed|used] for.",
)
KEEPS_BACK = (
    "My {item} [I'd like to keep|stays] to myself[|, if you don't mind].",
    "I'd rather [keep my {item} to myself|leave my {item} out of this].",
    "[You won't get|I won't give you] my {item}, [that's private|I keep that to myself].",
    "I prefer to leave out my {item}.",
)
DOUBT = (
    "[Are you sure|Is it certain] that [this|it] went through?",
    "Is [it|that] really done[| now]? [Last time|Once before] I was told so, too.",
    "[Hm|Well], how [can|do] I know that it really happened?",
    "And that is [really|definitely] in your system now?",
    "[Can|Could] you look again whether that [really |]was saved?",
)
RECAP = (
    "[First|Before we go on], [could|can] you sum up [once more |]what will change?",
    "[Could|Would] you [please |]recap [everything|all that] for me first?",
    "[Let me hear|I'd like to hear] the whole thing once more first, please.",
    "[Can|Could] you repeat what [exactly|precisely] will be changed?",
    "One more summary first[|, please]: what [exactly|] will happen?",
)
CONDITION = (
    "[As long as|Provided that] nothing else is changed.",
    "[On condition|Provided] that it is exactly what you just [said|described].",
    "[As long as|If] that really is all that happens.",
    "Under the condition that everything else stays as it is.",
    "But only this and nothing [more|beyond it].",
)
COMPARISON = (
    "[How does that compare|And how is that] with the next best [one|option]?",
    "[What|Which] would the [alternatives|other options] be?",
    "[Can|Could] you read the alternatives out to me first?",
    "[First tell me|Tell me first], what else was there to choose from?",
    "[And what|What] would have been the runner-up?",
)
ANSWER_ONLY = (
    "[Spare|Save] me the details[| please], just tell me [the result|how it ends].",
    "I don't need any numbers, [only the outcome|just the answer].",
    "[Keep it|Please keep it] to the result, the details don't interest me.",
    "[No long lists|No lists] please, only the [bottom line|result].",
)
TANGENTS: dict[str, tuple[str, ...]] = {
    "small_talk": (
        "[By the way, h|H]ow is your day going?",
        "[It's|It has been] raining [here|outside] all [day|morning], [what a week|awful].",
        "I hope your [shift|day] is [nearly over|going well].",
        "[Sorry for the noise|Excuse the noise], the neighbors are [renovating|having a party].",
        "My [coffee|tea] is getting cold while I [type|do] this, ha.",
        "[Funny|Strange] weather these days, isn't it?",
    ),
    "irrelevant": (
        "My [sister|brother|neighbor] [recommended|told me about] you, by the way.",
        "I [just moved|am about to redecorate] my [study|kitchen], so everything is upside down here.",
        "We are [getting|thinking of] a dog next [month|week], by the way.",
        "I only got [a new|this] phone [yesterday|last week], I'm still getting used to it.",
        "[My cat|The cat] just walked over the keyboard, ignore [any typos|that].",
        "I was on holiday [until|till] [yesterday|last week], hence the delay.",
    ),
    "policy_question": (
        "[By the way|Just wondering], do you [have|send] a newsletter?",
        "[Something else|Apart from that]: are you hiring at the moment?",
        "[Out of curiosity|By the way], do you sell gift vouchers?",
        "Do you [happen to |]have an app, by the way?",
        "[Unrelated|Another thing], but is there a student discount[| with you]?",
        "[By the way|Incidentally], can one visit your office[| in person]?",
    ),
}
ESCALATIONS: dict[str, tuple[str, ...]] = {
    "time_pressure": (
        "[I'm in a hurry|I don't have much time].",
        "[Can|Could] we [speed this up|make this quick]?",
        "My [bus|train|meeting] [leaves|starts] in a [few minutes|moment].",
        "[I have to leave|I need to be off] [soon|shortly].",
        "[Quickly, please|As fast as you can, please].",
    ),
    "repeats_demand": (
        "[Again|Once more]: {wish}",
        "[I repeat|I'll say it again]: {wish}",
        "[As I said|Like I said]: {wish}",
        "[It's simple|It's really simple]: {wish}",
    ),
    "threatens_to_leave": (
        "If this takes [much longer|forever], I'll [go|take my business] elsewhere.",
        "[Your competitors are|The competition is] faster, [you know|I hear].",
        "I'm [this close|very close] to closing my account.",
        "[One more delay|Any more of this] and you've lost a customer.",
        "[Maybe|Perhaps] I should [try|look for] another company.",
    ),
}
APPEALS = (
    "[But one|One] of your colleagues told me that it would be possible.",
    "[Surely you can|You could] make an exception[| for a loyal customer].",
    "[I did that|We did exactly that] once before and it was no problem.",
    "[That can't be|That is hard to believe]. [Couldn't you|Could you] look again?",
    "[A friend of mine|Somebody I know] got exactly that from you.",
    "[Please|Come on], [just this once|nobody has to know].",
)
SHIFTS: dict[str, tuple[str, ...]] = {
    "add": (
        "[Actually|Wait], there is [something|one thing] I forgot to [mention|say].",
        "[Oh, and|Oh, actually,] I want more than that.",
        "[Actually|Hold on], I just remembered [another thing|something].",
    ),
    "replace": (
        "[Actually|Wait], [forget|scrap] all that. I [want|need] something else instead.",
        "[Actually|Hm], I changed my mind: forget [what I said|that], this instead.",
        "[Hold on|Wait], [leave that|let's leave that]. What I really want is this instead.",
    ),
    "drop": (
        "[Actually|Wait], [forget|leave out] the last thing I asked for. Everything before that stays.",
        "[Hold on|Wait], I changed my mind about the last thing: leave that out, the rest stays.",
        "[Actually|Hm], scrap the last of my wishes. Only [the|what came] before counts.",
    ),
    "threshold": (
        "[Actually|Wait], I changed my mind about one thing.",
        "[Hold on|Wait], one thing should be different [after all|instead].",
        "[Actually|Hm], let me change one [detail|condition].",
    ),
    "changes_mind": (
        "[Actually, wait|Wait, no|No, wait], I changed my mind about one thing.",
        "[Hold on|No, hold on], one thing should be different after all.",
        "Not yet: let me change one [detail|condition] first.",
    ),
    "forbidden": (
        "[All right|Well], if that is not possible, [then|there is] something else instead.",
        "[Fine|Okay], forget that. Then I'd like this instead.",
        "[Hm, too bad|A pity]. Instead, then, this.",
    ),
}
CORRECTIONS = (
    "[Sorry|Oh, sorry|My mistake|Apologies], I [mistyped|got] that[| wrong].",
    "[Oh|Ah|Hm], that was [wrong|a typo|a slip].",
    "[Wait|Hold on], I [gave you the wrong one|made a mistake there].",
    "[You're right|Right], that isn't correct.",
)
OTHER_EMAIL = (
    "[Then I|Hm, then I] must have used another one, [and I don't know which|which I no longer have].",
    "[Strange|Odd]. [Then it must be|It must be] some older address that I have forgotten.",
    "[Hm, I|I] thought that was the one. [Can you|Could you] find me by name?",
)
VAGUE = ("a few", "several", "some")
