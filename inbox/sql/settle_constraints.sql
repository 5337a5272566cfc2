-- Lets deferred constraints speak up now, while it is still known which event they are about.
set constraints all immediate
