"""What a scripted user says beside the ledger, by act and mood: patterns with `[a|b]` alternatives and `{slot}` places.

A yes must be recognised as one by `says_yes`, and nothing else may be; no pattern tells a fact.
"""

HELLO = (
    "[Hi|Hello|Hey][| there][!|,]",
    "Good [morning|afternoon|evening|day].",
    "[Hi|Hello], I hope you can help me.",
    "[Hi|Hello], I have a request.",
    "[Hey|Hi], quick question.",
    "[Hi|Hello|Hey], it's about [something of mine|my account].",
    "[Hello|Hi], [is somebody there|are you there]?",
    "[Hi|Hey], I need [a hand|some help] with something.",
    "[Hello|Hi], got a minute?",
    "",
    "",
)
HELLO_POLITE = (
    "[Good morning|Good afternoon|Good day], and thank you for [taking the time|being there].",
    "[Hello|Hi], [I hope you are well|I hope you're having a good day]. Could you [please |kindly ]help me[| with something]?",
    "[Hello|Hi there], sorry to bother you. I would be grateful for [your help|a little help].",
    "[Hi|Hello], thank you for your help in advance.",
    "[Hello|Good day], if it isn't too much trouble, I'd [need|appreciate] some help.",
    "[Hello|Hi], would you be so kind as to help me, please?",
)
HELLO_ANGRY = (
    "[Hello|Hi]. I'm [honestly |]fed up[| already], so [let's see|we'll see] [how this goes|whether this works].",
    "[Hi|Hello], [after last time|after all that] I'm [rather|quite|really] annoyed, to be honest.",
    "[Right|So]. I have had enough of [waiting|being passed around], [so here goes|so listen].",
    "[Hello|Hey]. This is [getting |]ridiculous, [I wrote before|it's not my first message].",
    "[Hi|Hello]. I am not amused[| at all], let me say that [first|up front].",
    "[Hello|So], it is frustrating that I have to write [again|at all].",
)
HELLO_ANXIOUS = (
    "[Hi|Hello], I'm a [little|bit] worried that I'm doing this [wrong|the wrong way].",
    "[Hello|Hi]. I'm [always |]nervous about [such things|changing anything], [so please bear with me|sorry].",
    "[Hi|Hello], I'm [really |]afraid that something goes wrong [here|with this].",
    "[Hello|Hi there], I hope this is the right place. I'm [somewhat|rather] worried.",
    "[Hi|Hello], I [couldn't stop worrying|worry a lot] about this.",
)
MOOD: dict[str, tuple[str, ...]] = {
    "polite": (
        "[Thank you|Thanks][| very much| so much].",
        "I [really |]appreciate [it|your help].",
        "[That's|It's] very good of you, thank you.",
        "[Please take your time|No rush, please].",
        "[Much obliged|Many thanks].",
    ),
    "angry": (
        "[This is|It's] [getting |]ridiculous.",
        "I'm [really |]fed up with this.",
        "[All this|This back and forth] is [so |]annoying.",
        "[It's|This is] frustrating[, to be honest|].",
        "Unacceptable[, really|].",
    ),
    "anxious": (
        "I [just |]hope nothing goes wrong.",
        "I'm [still |]a bit worried[, to be honest|].",
        "[Fingers crossed|I'm nervous].",
        "I'm afraid of [doing something wrong|messing this up].",
        "[This makes|It makes] me [a little |]nervous.",
    ),
}
RAMBLE = (
    "[I was just|I am just] sitting down with a [coffee|cup of tea] and thought I'd get [this|it] out of the way before [lunch|dinner|the weekend].",
    "[You know how it is|It's always like that], one thing leads to another and suddenly the [day|morning|evening] is over.",
    "I [meant|had meant] to do [this|it] [ages|days|weeks] ago, but then the [kids|neighbors|in-laws] came over and I [clean |completely |]forgot about it.",
    "My [partner|flatmate|mother] keeps telling me that I should be quicker with these things, and [she|he] is probably right.",
    "[Anyway|Where was I], it has been one of those [weeks|days] where nothing goes the way one had [planned|thought].",
    "[Not that it matters|It doesn't matter much], but I have been [awake|up] since [dawn|far too early] and my head is [all over the place|spinning].",
    "The [dog|cat] has been [barking|making noise] the whole time, so I [may|might] not be very clear, I [hope|trust] you can follow me.",
    "I told a [friend|colleague] about it at [work|lunch] and [we had a good laugh|she could hardly believe it], but that's another story.",
    "[Funny|Strange] how [long|much time] one can spend on things like [this|these] instead of doing something [useful|nice].",
    "[To be fair|In all fairness], it's [not that bad|a small matter], there are [surely |]people with bigger problems than mine.",
    "I [wrote|had written] all of it down on a [note|piece of paper] somewhere, and of course [that|the note] is gone now.",
    "[Last|The other] [night|evening] I was [lying awake|on the sofa] thinking about it, which is silly, [I know|really].",
    "[Normally|Usually] my [sister|brother] does these things for me, but [she|he] is [away|travelling], so here I am, doing my best.",
    "[The weather|It] has been so [grey|hot|odd] lately that I hardly leave the house, so at least I have time for [this|such things].",
    "[So much for the background|That's the background], [more or less|in a nutshell], and I hope it isn't too long-winded.",
    "[I always|I tend to] write too much, people keep telling me that, but I [like|want] to be thorough about these things.",
    "[The other day|Yesterday] I [tried|wanted] to do it myself on the website, but then the doorbell rang and I [lost track|never got back to it].",
    "[Speaking of which|That reminds me], I should really [tidy up|sort out] my [desk|papers] one of these days, it's a mess.",
)
RAMBLE_SHORT = (
    "[Sorry|Oh], I got up to [let the dog out|get some water], where were we, right.",
    "I was [just |]telling my [neighbor|sister] about this, she says hello, [by the way|or well, not really].",
    "[Let me see|Let me think], I have so many [windows|tabs] open here that I can hardly find this one.",
    "[You are|You're] quick, I hardly had time to [finish|drink] my [tea|coffee] while reading that.",
    "[Good|Nice] that there is somebody to [talk|write] to about it, the website is not my [thing|world].",
    "[Hold on|One second], the [phone|doorbell] rang, and of course it was for somebody else [again|as always].",
    "[I had to|Had to] read that twice, my glasses are in the [other room|kitchen], as usual.",
    "[It's|It is] getting [late|dark] here, and I haven't even [cooked|eaten], so much for my plans.",
)
YES = (
    "Yes[|, please|, go ahead|, please go ahead|, that's right].",
    "[Yes|Yeah|Yep], [that works|sounds good|that's fine][| for me].",
    "Yes, please [do|proceed|do that].",
    "[Sure|Absolutely|Definitely], yes[|, go ahead].",
    "Yes, I [confirm|agree].",
    "[That's correct|Perfect|Okay], yes.",
    "Yes[|, thank you|, thanks].",
)
YES_SHORT = (
    "Yes.",
    "Yep.",
    "Yes, do it.",
    "Sure, yes.",
    "Yes, go ahead.",
    "Okay, yes.",
)
YES_BUT = (
    "Yes, go ahead. {condition}",
    "Yes, please. {condition}",
    "Okay, yes. {condition}",
)
REPLY = (
    "[Sure|Of course|Certainly]. {text}",
    "{text}",
    "{text}",
    "[OK|Okay|Right]. {text}",
    "[No problem|Gladly]. {text}",
    "[Ah, yes|Ah, right]. {text}",
)
MORE = (
    "{text} {more}",
    "{text} [And|Also]: {more}",
    "{text} [While I'm at it|Before I forget]: {more}",
    "{text} [Oh, and|By the way]: {more}",
)
STILL = (
    "[Before you do|One moment], there is one thing that I have not told you yet. {text}",
    "[Wait|Hold on], I forgot to say something. {text}",
    "[One more thing|Something else] before you do that. {text}",
    "[I should add something first|Let me add something]. {text}",
)
NEXT = (
    "[Good|Great], and now [for the rest|the next thing]. {text}",
    "[Nice|Perfect], that was the first thing. {text}",
    "[Yes, there is|Yes, actually]. {text}",
    "[Thanks|Good]. I have [something|one] more. {text}",
)
NOTHING_TO_SAY = (
    "I'm not sure[| about that].",
    "I don't know[|, sorry].",
    "That's all I [know|can tell you].",
    "[I have|There is] nothing to add to that.",
    "[No idea|I couldn't say], I'm afraid.",
)
THANKS = (
    "[No, that's all|That's everything|That was all]. [Thank you|Thanks][!|.]",
    "[No, thank you|No, thanks], [that's it|I'm good]. [Bye|Goodbye]!",
    "[Great|Perfect], [thank you|thanks] for your help[!|.]",
    "That's all I needed[|, thanks].",
    "[Nothing else|No more questions], [thank you|thanks a lot][!|.]",
    "[Wonderful|Lovely], that [is|was] all. [Thanks|Thank you] and [bye|goodbye].",
)
LEAVE_CURT = (
    "That's all.",
    "No. That's it.",
    "Nothing else.",
    "No, bye.",
    "That was it.",
)
ACCEPTED = (
    "[I see|All right|Okay]. [That's a pity|Too bad], but thanks[| for explaining].",
    "[Hm, okay|Alright]. Thank you[| anyway].",
    "[I understand|Understood]. [That's all then|Nothing else then], thanks.",
    "[Well, if|If] that's the rule, [so be it|okay]. [Thanks|Thank you].",
    "[Fine|All right], then I'll leave it at that. [Thanks|Thank you] for looking.",
)
ACCEPT_CURT = (
    "Fine. That's all.",
    "Then not. Bye.",
    "All right. That's it.",
    "Too bad. Bye.",
)
SALUTATION = (
    "[Hello|Dear team|Dear support team|Good day|Hi],",
    "[Dear customer service|Dear Sir or Madam|Hello everybody|Good afternoon],",
)
SALUTATION_AGAIN = ("[Hello again|Hello|Dear team|Hi],",)
CLOSING = (
    "[Kind regards|Best regards|Best wishes|Regards]",
    "[Yours sincerely|With best regards|Many greetings|All the best]",
)
